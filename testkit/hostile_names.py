"""Names and paths that a file can have, and a program seldom expects."""

import os
from pathlib import Path

NAMES = {
    "not UTF-8": b"\xff\xfecaf\xe9",
    "a newline": b"new\nline",
    "a tab": b"tab\there",
    "terminal escapes": b"\x1b[2J\x1b]0;title\x07\x9b31m",
    "a carriage return": b"good\rbad",
    "right to left": "\u05e9\u05dc\u05d5\u05dd.txt".encode(),
    "an override of direction": "\u202etxt.exe".encode(),
    "an option": b"--rf",
    "a placeholder": b"{}%f%%{path}",
    "shell characters": b"$(touch x) `y` ; & | \"'*?",
    "blanks": b"  ",
    "markup": b"[red]<b>&amp;",
    "255 bytes": b"n" * 255,
}
ACTING = {*range(32), 127} - {ord("\n"), ord("\t")}
"""Bytes that control a terminal."""
NASTY = b"-\xff\nnew\x1b[2J\x07<b>{}%f"
"""A name with several hostile properties at once."""


def paths_in(folder: Path) -> list[bytes]:
    return [path_in(folder, name) for name in NAMES.values()]


def path_in(folder: Path, name: bytes) -> bytes:
    return os.fsencode(folder) + b"/" + name


def deep_path(folder: Path, length: int) -> bytes:
    """A path of `length` bytes; its parent exists."""
    path = os.fsencode(folder)
    while len(path) < length - 256:
        path += b"/" + b"d" * 200
    os.makedirs(path)
    return path + b"/" + b"n" * (length - len(path) - 1)
