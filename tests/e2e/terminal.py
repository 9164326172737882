"""A program on a pseudo-terminal, for the end-to-end tests."""
import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
import unicodedata

from world import DEADLINE, Failed


def set_size(descriptor, columns):
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def columns_of(text):
    """Columns as a terminal counts them, computed with another library than usher's."""
    return sum(0 if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf")
               else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, command, env, columns=None):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            if columns:
                set_size(0, columns)
            os.execvpe(command[0], command, env)
        self.text = ""
        self.raw = ""  # all of it, as it was written

    def resize(self, columns):
        """The program gets a SIGWINCH, as from a real terminal."""
        set_size(self.master, columns)

    def expect(self, pattern, deadline=DEADLINE):
        """Reads until the pattern appears in the text after the last match; returns the text before the match, and the
        match."""
        end = time.monotonic() + deadline
        while True:
            found = re.search(pattern, self.text)
            if found:
                seen, self.text = self.text[:found.end()], self.text[found.end():]
                return seen
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise Failed(f"{pattern!r} did not come; on the screen: {self.text!r}")
            try:
                more = os.read(self.master, 65536)
            except OSError:
                more = b""
            if not more:
                raise Failed(f"the program ended before {pattern!r}: {self.text!r}")
            self.took(more)

    def took(self, more):
        more = more.decode(errors="replace")
        self.raw += more
        self.text += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", more)

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self):
        while True:
            try:
                more = os.read(self.master, 65536)
                if not more:
                    break
                self.took(more)
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
