"""Two facilities as one: who watches what, and what comes out where they meet."""

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.backends.choice import PairedBackend, Wish, open_kernel
from gamin.backends.fanotify import FanotifyBackend
from gamin.backends.inotify import InotifyBackend
from gamin.backends.marks import FIRST_NUMBER
from gamin.events import DELETE, IS_DIR, MOVED_TO, Change
from tests.backends.narrow import run_narrowed
from tests.backends.ways import (
    ALL,
    FANOTIFY_QUOTA,
    INOTIFY_QUOTA,
    NAMES,
    Directory,
    story,
)


@pytest.fixture
def facilities() -> tuple[InotifyBackend, FanotifyBackend]:
    try:
        fanotify = FanotifyBackend()
    except OSError as error:
        pytest.skip(f"the kernel refuses fanotify: {error.strerror}")
    return InotifyBackend(), fanotify


@pytest.fixture
def pair(facilities: tuple[InotifyBackend, FanotifyBackend]) -> Iterator[PairedBackend]:
    pair = PairedBackend(*facilities)
    yield pair
    pair.close()


@pytest.fixture
def split(
    pair: PairedBackend,
    facilities: tuple[InotifyBackend, FanotifyBackend],
    tmp_path: Path,
) -> tuple[Directory, Directory]:
    """One directory with inotify, one with fanotify."""
    for name in ("by inotify", "by fanotify"):
        (tmp_path / name).mkdir()
    nodes = Directory(tmp_path / "by inotify"), Directory(tmp_path / "by fanotify")
    facilities[0].watch(nodes[0], NAMES)
    facilities[1].watch(nodes[1], NAMES)
    return nodes


@pytest.mark.parametrize(
    ("wish", "is_fanotify"),
    [(Wish.INOTIFY, False), (Wish.AUTO, False), (Wish.FANOTIFY, True)],
)
def test_the_first_watch_is_where_it_was_wished(
    pair: PairedBackend, tmp_path: Path, wish: Wish, is_fanotify: bool
) -> None:
    kernel = open_kernel(wish)
    node = Directory(tmp_path)
    kernel.watch(node, ALL)
    assert (node.wd >= FIRST_NUMBER) is is_fanotify
    kernel.close()


def test_a_directory_stays_where_it_is(
    pair: PairedBackend, split: tuple[Directory, Directory]
) -> None:
    numbers = [node.wd for node in split]
    for node in split:
        pair.watch(node, ALL)
    assert [node.wd for node in split] == numbers
    assert pair.watches == 2
    for node in split:
        pair.unwatch(node)
    assert pair.watches == 0


def test_one_descriptor_announces_both(
    pair: PairedBackend, split: tuple[Directory, Directory]
) -> None:
    waiting = select.poll()
    waiting.register(pair, select.POLLIN)
    for node in split:
        assert not waiting.poll(0)
        os.mknod(os.path.join(node.place, b"new"))
        assert waiting.poll(0)
        assert list(pair.drain()) == [Change(node, 0x100, 0, b"new")]


@pytest.mark.parametrize("is_back", [False, True])
def test_a_rename_from_one_to_the_other_is_a_deletion_and_an_arrival(
    pair: PairedBackend, split: tuple[Directory, Directory], is_back: bool
) -> None:
    here, there = reversed(split) if is_back else split
    os.mkdir(os.path.join(here.place, b"sub"))
    pair.drain()
    os.rename(os.path.join(here.place, b"sub"), os.path.join(there.place, b"sub"))
    assert sorted(pair.drain(), key=lambda change: change.mask) == [
        Change(there, MOVED_TO | IS_DIR, 0, b"sub"),
        Change(here, DELETE | IS_DIR, 0, b"sub"),
    ]


def test_renames_of_both_at_once_are_not_mixed_up(
    pair: PairedBackend, split: tuple[Directory, Directory]
) -> None:
    for node in split:
        os.mknod(os.path.join(node.place, b"old"))
    pair.drain()
    for node in split:
        os.rename(os.path.join(node.place, b"old"), os.path.join(node.place, b"new"))
    changes = pair.drain()
    for node in split:
        assert story(changes, node) == ["deleted old", "created new"]
    assert len({change.cookie for change in changes}) == 2


def test_the_room_is_that_of_both(
    pair: PairedBackend, facilities: tuple[InotifyBackend, FanotifyBackend]
) -> None:
    assert pair.limit == sum(backend.limit for backend in facilities)


FULL = """
import os, sys, tempfile
from gamin.backends.choice import Wish, open_kernel
from gamin.backends.marks import FIRST_NUMBER
from tests.backends.ways import ALL, Directory, story

with tempfile.TemporaryDirectory() as place:
    nodes = []
    backend = open_kernel(Wish(sys.argv[1]))
    for name in ("a", "b", "c"):
        os.mkdir(os.path.join(place, name))
        nodes.append(Directory(os.path.join(place, name)))
        backend.watch(nodes[-1], ALL)
    for node in nodes:
        os.mknod(os.path.join(node.place, b"new"))
    changes = backend.drain()
    for node in nodes:
        print(node.wd >= FIRST_NUMBER, *story(changes, node))
    backend.close()
"""


@pytest.mark.parametrize(
    ("wish", "quota"), [(Wish.AUTO, INOTIFY_QUOTA), (Wish.FANOTIFY, FANOTIFY_QUOTA)]
)
def test_when_one_is_full_the_other_takes_over(
    pair: PairedBackend, wish: Wish, quota: str
) -> None:
    answer = run_narrowed({quota: 1}, FULL, wish.value)
    first, second = (True, False) if wish is Wish.FANOTIFY else (False, True)
    lines = [f"{used} created new\n" for used in (first, second, second)]
    assert answer == "".join(lines)


NEITHER = """
import sys
from gamin.backends.choice import Wish, open_kernel

for wish in Wish:
    try:
        backend = open_kernel(wish)
    except OSError as error:
        print(wish.value, "refused")
    else:
        print(wish.value, type(backend).__name__)
        backend.close()
"""


@pytest.mark.parametrize(
    ("quotas", "answers"),
    [
        pytest.param(
            {"max_fanotify_groups": 0},
            ["auto InotifyBackend", "inotify InotifyBackend", "fanotify refused"],
            id="no fanotify",
        ),
        pytest.param(
            {"max_inotify_instances": 0},
            ["auto FanotifyBackend", "inotify refused", "fanotify FanotifyBackend"],
            id="no inotify",
        ),
        pytest.param(
            {"max_fanotify_groups": 0, "max_inotify_instances": 0},
            ["auto refused", "inotify refused", "fanotify refused"],
            id="neither",
        ),
    ],
)
def test_what_the_kernel_refuses(
    pair: PairedBackend, quotas: dict[str, int], answers: list[str]
) -> None:
    assert run_narrowed(quotas, NEITHER).splitlines() == answers
