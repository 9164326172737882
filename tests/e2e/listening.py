"""`usher play` in real time, and a screen for its player to draw on."""
import os
import re
import signal
import subprocess
import threading

from world import DEADLINE, Failed, wait_for


class Listening:
    """One `usher play` in real time; reads its status line."""

    def __init__(self, listener, *args, driver="dummy"):
        listener.env["SDL_AUDIODRIVER"] = driver
        self.process = subprocess.Popen(listener.command("--progress", "play", *args), env=listener.env,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.second = -1
        self.began = None  # the first second that was shown
        self.said = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stderr:
            self.said.append(line)
            found = re.match(r"(\d+):(\d\d) / ", line)
            if found:
                self.second = int(found[1]) * 60 + int(found[2])
                if self.began is None:
                    self.began = self.second

    def reach(self, second):
        wait_for(lambda: self.second >= second or self.process.poll() is not None, f"second {second}")
        if self.second < second:
            self.thread.join(10)
            raise Failed("it ended before: " + "".join(self.said))

    def end(self):
        self.process.wait(120)
        self.thread.join(30)
        self.process.stdout.close()
        self.process.stderr.close()

    def quit(self):
        """Sends SIGTERM; returns where it stopped and whether the play was given back, as the program reports it."""
        self.process.send_signal(signal.SIGTERM)
        self.end()
        text = "".join(self.said)
        found = re.search(r"Stopped at (\d+):(\d\d)\. (The play was given back|It counts as one play)", text)
        if not found:
            raise Failed("it did not say what became of the play: " + text)
        return int(found[1]) * 60 + int(found[2]), found[3] == "The play was given back"

    def kill(self):
        self.process.kill()
        self.end()


class Screen:
    """An X server without a monitor, on the first free display."""
    SIZE = "640x480"

    def __init__(self):
        reader, writer = os.pipe()
        self.process = subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-screen", "0", self.SIZE + "x24",
                                         "-nolisten", "tcp"], pass_fds=[writer], stderr=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader) as said:
            self.name = ":" + said.readline().strip()
        if self.name == ":":
            raise Failed("Xvfb did not start")

    def pixels(self):
        """The screen's content: a list of (red, green, blue)."""
        shot = subprocess.run(["ffmpeg", "-v", "error", "-f", "x11grab", "-video_size", self.SIZE, "-i", self.name,
                               "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
                              check=True, capture_output=True, timeout=DEADLINE).stdout
        return list(zip(shot[0::3], shot[1::3], shot[2::3]))

    def close(self):
        self.process.terminate()
        self.process.wait(60)
