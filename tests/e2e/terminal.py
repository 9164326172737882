"""A program on a pseudo-terminal, for the end-to-end tests."""
import os
import pty
import re
import select
import time

from world import Failed


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, command, env):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, env)
        self.text = ""

    def expect(self, pattern, deadline=60):
        """Reads until the pattern stands in what was not yet expected; returns what came before and the match."""
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
            self.text += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", more.decode(errors="replace"))

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self):
        while True:
            try:
                if not os.read(self.master, 65536):
                    break
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
