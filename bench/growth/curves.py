"""Which sizes are measured, and what is shown of them.

`points` measures a point, `plot` draws a curve.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.growth import points
from bench.growth.points import (
    FILES_EACH,
    NAMED_TREE,
    REMEMBERED_EACH,
    SHARED_TREE,
    Point,
)
from bench.results import Column, Unit

ALONE = Column("alone", "a change alone", Unit.SECONDS)
BURST = Column("burst", "one of a burst", Unit.SECONDS)
SERVER = Column("server_memory", "memory of the server", Unit.BYTES)
REMEMBERED = Column("each", "CPU for a file", Unit.SECONDS)
SETUP = (
    Column("setup", "watching after", Unit.SECONDS),
    Column("setup_cpu", "CPU of the server for it", Unit.SECONDS),
    SERVER,
)
TREE = (*SETUP, Column("client_memory", "of the client", Unit.BYTES), ALONE, BURST)


@dataclass(frozen=True, slots=True)
class Curve:
    title: str
    about: str
    of: str
    """What the size counts."""
    sizes: tuple[int, ...]
    columns: tuple[Column, ...]
    must_be_flat: tuple[Column, ...]
    """The costs that must not grow with the size."""
    measure: Callable[[Path, int], Point]


CURVES = {
    "directories": Curve(
        "Directories in a tree",
        f"One `gamin.watch()` of a tree with {FILES_EACH} files for each directory.",
        "directories",
        (1_000, 3_000, 10_000, 30_000, 100_000, 300_000),
        TREE,
        (ALONE, BURST),
        points.directories,
    ),
    "names": Curve(
        "Names in a tree",
        f"The same with {NAMED_TREE:,} directories and more and more files in each.",
        "files for each directory",
        (0, 10, 30),
        TREE,
        (ALONE, BURST),
        points.names,
    ),
    "clients": Curve(
        "Clients of a tree",
        f"All of them watch one tree of {SHARED_TREE[0]:,} directories and "
        f"{SHARED_TREE[1]:,} files, and receive every change. What each costs "
        "beside the first.",
        "clients",
        (1, 2, 5, 10, 20, 50, 100, 200),
        (
            Column("setup_each", "watching after", Unit.SECONDS),
            Column("server_memory_each", "memory of the server", Unit.BYTES),
            ALONE,
            Column("alone_each", "and for each client", Unit.SECONDS),
            BURST,
            Column("burst_each", "and for each client", Unit.SECONDS),
        ),
        (
            Column("alone_each", "a change alone, for each client", Unit.SECONDS),
            Column("burst_each", "one of a burst, for each client", Unit.SECONDS),
        ),
        points.clients,
    ),
    "remembered": Curve(
        "Files of a tree that is remembered",
        "A server watches a tree and ends; nothing changes; its successor is asked "
        f"what changed since then. {REMEMBERED_EACH} files for each directory. The "
        "walk is a C program that reads all directories and the status of all entries "
        "(`bench/c/walk.c`). The system calls of the server, made from Python and "
        "nothing else, take 1.6 times the CPU of the walk: 1.2 times that for opening "
        "each directory and the status of each entry, the rest for a watch of each "
        "directory. *Most while comparing* includes the watched tree; the rest is the "
        "saved tree. Names of these files are alike; for a file with a random name of "
        "32 hexadecimal digits 23 bytes are stored, for one of /usr 8.",
        "files",
        (1_000, 10_000, 100_000, 1_000_000),
        (
            Column("answer", "answer after", Unit.SECONDS),
            Column("answer_cpu", "CPU of the server", Unit.SECONDS),
            Column("walk", "the walk", Unit.SECONDS),
            Column("walk_cpu", "its CPU", Unit.SECONDS),
            REMEMBERED,
            Column("store", "bytes on disk for a file", Unit.COUNT),
            Column("server_memory", "memory of a watched tree", Unit.BYTES),
            Column("loading_memory", "most while comparing", Unit.BYTES),
        ),
        (REMEMBERED,),
        points.remembered,
    ),
    "entries": Curve(
        "Entries of a directory",
        "One directory asked for by `gamin.client.blocking.Client`; watching is when "
        "it has read the whole listing.",
        "entries",
        (10, 100, 1_000, 10_000, 100_000),
        (*SETUP, ALONE, BURST),
        (ALONE, BURST),
        points.entries,
    ),
    "subscriptions": Curve(
        "Subscriptions of a connection",
        "Files of one directory, each asked for by itself, over one connection of the "
        "original language. A file removed or made again is one change.",
        "subscriptions",
        (1, 10, 100, 1_000, 10_000, 65_000),
        (*SETUP, ALONE, BURST),
        (ALONE, BURST),
        points.subscriptions,
    ),
}
