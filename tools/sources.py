"""Shared by the checks: the list of files, and C++ without its comments and strings, or with nothing else."""
import os
import re
import subprocess

CODE = (".h", ".cpp")


def files(root):
    """Paths relative to root, sorted: the files that git tracks or would track; every file if root has no .git."""
    if os.path.exists(os.path.join(root, ".git")):
        listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard"],
                                check=True, capture_output=True).stdout.decode().split("\0")
        found = {path for path in listed if path and os.path.isfile(os.path.join(root, path))}
    else:
        found = {os.path.relpath(os.path.join(folder, name), root)
                 for folder, _, names in os.walk(root) for name in names}
    return sorted(found)


def read(root, path):
    """The text, or None if the file is not UTF-8."""
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        return None


_TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\'',
    re.DOTALL)


def code_only(text):
    """The same lines; comments are blank and strings are empty."""
    def blank(match):
        lines = "\n" * match.group().count("\n")
        return ('""' if match.group()[0] in 'R"' else "''" if match.group()[0] == "'" else " ") + lines
    # An #include's name is kept: "…" is not a string there.
    kept = re.sub(r'^(\s*#\s*include\s*)"([^"\n]*)"', r"\1<\2>", text, flags=re.MULTILINE)
    return _TOKENS.sub(blank, kept)


def words_only(text):
    """The same lines; only comments and strings are left."""
    left, end = [], 0
    for match in _TOKENS.finditer(text):
        left += ["\n" * text.count("\n", end, match.start()) or " ", match.group()]
        end = match.end()
    return "".join(left)


def includes(text):
    """(line number, name, quoted) of each #include."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line):
            yield number, match.group(2), match.group(1) == '"'
