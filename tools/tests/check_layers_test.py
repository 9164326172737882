"""tools/check-layers refuses each forbidden example, and accepts the allowed ones."""
import os
import subprocess
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "check-layers")
CMAKE = """
usher_library(base    PUBLIC fmt::fmt)
usher_library(crypto  PUBLIC base OpenSSL::Crypto)
usher_library(wire    PUBLIC base)
usher_library(pki     PUBLIC base crypto PRIVATE wire)
usher_library(card    PUBLIC base crypto pki PRIVATE wire usher_p11)
usher_library(channel PUBLIC base crypto wire pki)
usher_library(licence PUBLIC base crypto wire PRIVATE Boost::json)
usher_library(store   PUBLIC base licence PRIVATE PkgConfig::SQLITE)
usher_library(server  PUBLIC channel store PRIVATE usher_asio)
"""


class CheckLayers(unittest.TestCase):
    def run_on(self, files, cmake=CMAKE):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {"CMakeLists.txt": cmake, **files}.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            done = subprocess.run([SCRIPT, root], capture_output=True, text=True, check=False)
            return done.returncode, done.stdout

    def refused(self, path, include, reason):
        status, output = self.run_on({path: f"#pragma once\n{include}\n"})
        self.assertEqual(status, 1, output)
        self.assertIn(f"{path}:2: ", output)
        self.assertIn(reason, output)

    def allowed(self, path, include):
        status, output = self.run_on({path: f"{include}\n"})
        self.assertEqual(status, 0, output)

    def test_what_the_table_allows_is_taken(self):
        self.allowed("src/base/a.cpp", "#include <vector>")
        self.allowed("src/base/a.cpp", "#include <fmt/format.h>")
        self.allowed("src/crypto/a.cpp", "#include <openssl/evp.h>")
        self.allowed("src/card/a.cpp", "#include <p11-kit/uri.h>")
        self.allowed("src/channel/a.cpp", '#include "pki/role.h"')
        self.allowed("src/licence/a.cpp", "#include <boost/json.hpp>")
        self.allowed("src/store/sqlite/a.cpp", "#include <sqlite3.h>")
        self.allowed("src/server/http/a.cpp", "#include <boost/beast.hpp>")
        self.allowed("src/server/files/a.cpp", "#include <openssl/ssl.h>")
        self.allowed("src/server/http/a.cpp", '#include "server/runtime/log.h"')
        self.allowed("src/server/a.cpp", '#include "server/http/router.h"')

    def test_a_folder_above_is_refused(self):
        self.refused("src/base/a.h", '#include "crypto/secret.h"', "base may not use crypto")
        self.refused("src/wire/a.h", '#include "crypto/secret.h"', "wire may not use crypto")
        self.refused("src/channel/a.h", '#include "server/http/http.h"', "channel may not use server/http")
        self.refused("src/licence/a.h", '#include "store/store.h"', "licence may not use store")

    def test_a_library_of_another_layer_is_refused(self):
        self.refused("src/channel/a.h", "#include <openssl/evp.h>", "channel may not use openssl")
        self.refused("src/server/http/a.h", "#include <openssl/ssl.h>", "server/http may not use openssl")
        self.refused("src/server/a.h", "#include <boost/beast.hpp>", "server may not use asio")
        self.refused("src/pki/a.h", "#include <p11-kit/uri.h>", "pki may not use p11")
        self.refused("src/channel/a.h", "#include <boost/json.hpp>", "channel may not use json")
        self.refused("src/store/a.h", "#include <sqlite3.h>", "store may not use sqlite")
        self.refused("src/store/postgres/a.h", "#include <sqlite3.h>", "store/postgres may not use sqlite")
        self.refused("src/base/a.h", "#include <prometheus/counter.h>", "base may not use prometheus")

    def test_a_store_is_chosen_by_main_alone(self):
        self.refused("src/server/a.h", '#include "store/sqlite/sqlite_store.h"', "only main() chooses it")

    def test_a_room_uses_only_the_rooms_of_its_row(self):
        self.refused("src/server/runtime/a.h", '#include "server/http/http.h"',
                     "server/runtime may not use server/http")
        self.refused("src/server/files/a.h", '#include "server/http/http.h"', "server/files may not use server/http")
        self.refused("src/server/http/a.h", '#include "server/server.h"', "server/http may not use server")

    def test_own_headers_are_quoted_and_named_by_folder(self):
        self.refused("src/crypto/a.h", "#include <base/bytes.h>", "quoted")
        self.refused("src/crypto/a.h", '#include "secret.h"', '"folder/file.h"')

    def test_a_folder_outside_the_table_is_refused(self):
        status, output = self.run_on({"src/helpers/a.cpp": ""})
        self.assertEqual(status, 1)
        self.assertIn("src/helpers is not in the table", output)

    def test_an_include_that_is_not_linked_is_refused(self):
        status, output = self.run_on({"src/wire/a.cpp": '#include "base/bytes.h"\n'},
                                     CMAKE.replace("usher_library(wire    PUBLIC base)", "usher_library(wire)"))
        self.assertEqual(status, 1)
        self.assertIn("wire does not link base", output)

    def test_a_link_that_the_table_does_not_allow_is_refused(self):
        for wrong, reason in [("PUBLIC base crypto wire server", "channel links server"),
                              ("PUBLIC base PRIVATE OpenSSL::Crypto", "channel links OpenSSL::Crypto"),
                              ("PUBLIC base PRIVATE mystery", "does not know")]:
            status, output = self.run_on({}, CMAKE.replace("PUBLIC base crypto wire pki", wrong))
            self.assertEqual(status, 1, output)
            self.assertIn(reason, output)

    def test_a_link_through_another_library_is_refused(self):
        status, output = self.run_on({}, CMAKE + "usher_library(client PUBLIC server)\n")
        self.assertEqual(status, 1)
        self.assertIn("client links store through another library", output)

    def test_a_third_party_library_that_is_handed_on_is_refused(self):
        status, output = self.run_on({}, CMAKE.replace("PRIVATE PkgConfig::SQLITE", "PUBLIC PkgConfig::SQLITE"))
        self.assertEqual(status, 1)
        self.assertIn("store hands PkgConfig::SQLITE on", output)


if __name__ == "__main__":
    unittest.main()
