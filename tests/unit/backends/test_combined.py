"""Two facilities as one backend: which one watches, and renames between them."""

import errno
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gamin.backends.base import FIRST_MARK, KernelBackend, Usage
from gamin.backends.combined import CombinedBackend, open_fanotify
from gamin.backends.fanotify import FanotifyBackend
from gamin.backends.inotify import InotifyBackend
from gamin.errors import WatchLimitReached
from gamin.events import (
    CLOSE_WRITE,
    CREATE,
    DELETE,
    IS_DIR,
    MOVED_FROM,
    MOVED_TO,
    Change,
)
from testkit.backends import ALL, INOTIFY_QUOTA, NAMES, Directory, drain, story
from testkit.narrow import run_narrowed


@pytest.fixture(autouse=True)
def granted() -> None:
    try:
        FanotifyBackend().close()
    except OSError as error:
        pytest.skip(f"the kernel refuses fanotify: {error.strerror}")


@pytest.fixture
def pair() -> Iterator[CombinedBackend]:
    """A backend with room for one directory in each facility."""
    pair = CombinedBackend(lambda: InotifyBackend(1), lambda: FanotifyBackend(1))
    pair.open_one()
    yield pair
    pair.close()


@pytest.fixture
def split(pair: CombinedBackend, tmp_path: Path) -> tuple[Directory, Directory]:
    """One directory with inotify, one with fanotify."""
    nodes = []
    for name in ("by inotify", "by fanotify"):
        (tmp_path / name).mkdir()
        nodes.append(Directory(tmp_path / name))
        pair.watch(nodes[-1], NAMES)
    return nodes[0], nodes[1]


def test_fanotify_is_not_even_loaded_while_there_is_room() -> None:
    program = """
import sys, gamin.daemon.process.main
print(*(name for name in sys.modules if name.startswith("gamin.")))
"""
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "gamin.backends.combined" in loaded
    assert not {"gamin.backends.fanotify", "gamin.system.fanotify"} & set(loaded)


def test_inotify_comes_first_and_fanotify_takes_what_does_not_fit(
    pair: CombinedBackend, split: tuple[Directory, Directory]
) -> None:
    assert [node.wd >= FIRST_MARK for node in split] == [False, True]
    assert pair.usage == [Usage("inotify", 1, 1), Usage("fanotify", 1, 1)]


def test_full_facilities_take_nothing_until_there_is_room(
    pair: CombinedBackend, split: tuple[Directory, Directory], tmp_path: Path
) -> None:
    for node in split:
        more = Directory(tmp_path)
        with pytest.raises(WatchLimitReached) as caught:
            pair.watch(more, NAMES)
        assert caught.value.limit == 2
        assert not more.is_watched
        pair.unwatch(node)
        pair.watch(more, NAMES)
        assert more.is_watched


def test_a_directory_stays_where_it_is(
    pair: CombinedBackend, split: tuple[Directory, Directory]
) -> None:
    numbers = [node.wd for node in split]
    for node in split:
        pair.watch(node, ALL)
    assert [node.wd for node in split] == numbers
    assert [share.watches for share in pair.usage] == [1, 1]
    for node in split:
        pair.unwatch(node)
    assert [share.watches for share in pair.usage] == [0, 0]


def test_one_descriptor_announces_both(
    pair: CombinedBackend, split: tuple[Directory, Directory]
) -> None:
    waiting = select.poll()
    waiting.register(pair, select.POLLIN)
    for node in split:
        assert not waiting.poll(0)
        os.mknod(os.path.join(node.place, b"new"))
        assert waiting.poll(0)
        assert list(pair.drain()) == [Change(node, 0x100, 0, b"new")]


def test_events_of_inotify_stay_pending_while_fanotify_resolves_doubts(
    pair: CombinedBackend, split: tuple[Directory, Directory]
) -> None:
    short = os.path.join(split[1].place, b"short")
    os.mknod(short)
    os.unlink(short)
    pair.drain()
    assert pair.has_pending  # made and removed, joined by the kernel: which was last?
    os.mknod(os.path.join(split[0].place, b"new"))
    changes = list(pair.drain())
    goal = pair.queued_bytes
    while pair.drained_bytes < goal:
        changes += pair.drain()
    assert Change(split[0], CREATE, 0, b"new") in changes


@pytest.mark.parametrize("is_back", [False, True])
def test_a_rename_from_one_facility_to_the_other_is_a_deletion_and_a_creation(
    pair: CombinedBackend, split: tuple[Directory, Directory], is_back: bool
) -> None:
    here, there = reversed(split) if is_back else split
    os.mkdir(os.path.join(here.place, b"sub"))
    pair.drain()
    os.rename(os.path.join(here.place, b"sub"), os.path.join(there.place, b"sub"))
    assert sorted(drain(pair), key=lambda change: change.mask) == [
        Change(there, MOVED_TO | IS_DIR, 0, b"sub"),
        Change(here, DELETE | IS_DIR, 0, b"sub"),
    ]


def test_renames_of_both_at_once_are_not_mixed_up(
    pair: CombinedBackend, split: tuple[Directory, Directory]
) -> None:
    for node in split:
        os.mknod(os.path.join(node.place, b"old"))
    pair.drain()
    for node in split:
        os.rename(os.path.join(node.place, b"old"), os.path.join(node.place, b"new"))
    changes = drain(pair)
    for node in split:
        assert story(changes, node) == ["deleted old", "created new"]
    assert len({change.cookie for change in changes}) == 2


REFUSED = OSError(errno.EMFILE, os.strerror(errno.EMFILE))


class Opener:
    """Refuses until the test grants one."""

    is_granted = False

    def __init__(self, kind: Callable[[], KernelBackend]) -> None:
        self._kind = kind

    def __call__(self) -> KernelBackend:
        if not self.is_granted:
            raise REFUSED
        return self._kind()


def test_fanotify_watches_alone_without_an_instance_of_inotify(tmp_path: Path) -> None:
    pair = CombinedBackend(Opener(InotifyBackend), open_fanotify)
    pair.open_one()
    node = Directory(tmp_path)
    pair.watch(node, NAMES)
    os.mknod(tmp_path / "new")
    assert list(pair.drain()) == [Change(node, CREATE, 0, b"new")]
    assert [share.facility for share in pair.usage] == ["fanotify"]
    pair.close()


@pytest.mark.parametrize("which", [0, 1])
def test_nothing_has_room_until_one_facility_opens(which: int, tmp_path: Path) -> None:
    openers = Opener(InotifyBackend), Opener(FanotifyBackend)
    pair = CombinedBackend(*openers)
    with pytest.raises(OSError, match="open files"):
        pair.open_one()
    node = Directory(tmp_path)
    with pytest.raises(WatchLimitReached):
        pair.watch(node, NAMES)
    pair.unwatch(node)
    assert not node.is_watched
    assert not pair.usage
    assert not pair.has_pending
    assert not pair.drain()

    openers[which].is_granted = True
    pair.watch(node, NAMES)
    os.mknod(tmp_path / "new")
    waiting = select.poll()
    waiting.register(pair, select.POLLIN)
    assert waiting.poll(0)
    assert list(pair.drain()) == [Change(node, CREATE, 0, b"new")]
    pair.unwatch(node)
    assert [share.watches for share in pair.usage] == [0]
    pair.close()


FULL = """
import os, tempfile
from gamin.backends.base import FIRST_MARK
from gamin.backends.combined import CombinedBackend
from testkit.backends import ALL, Directory, drain, story

with tempfile.TemporaryDirectory() as place:
    nodes = []
    backend = CombinedBackend()
    backend.open_one()
    for name in ("a", "b", "c"):
        os.mkdir(os.path.join(place, name))
        nodes.append(Directory(os.path.join(place, name)))
        backend.watch(nodes[-1], ALL)
    for node in nodes:
        os.mknod(os.path.join(node.place, b"new"))
    changes = drain(backend)
    for node in nodes:
        print(node.wd >= FIRST_MARK, *story(changes, node))
    backend.close()
"""


def test_fanotify_takes_over_when_the_quota_of_inotify_is_full() -> None:
    answer = run_narrowed({INOTIFY_QUOTA: 1}, FULL)
    lines = [f"{used} created new\n" for used in (False, True, True)]
    assert answer == "".join(lines)


def test_the_facilities_know_whether_somebody_asks_for_details(
    pair: CombinedBackend, split: tuple[Directory, Directory], tmp_path: Path
) -> None:
    file = tmp_path / "by inotify" / "f"
    pair.watch(split[0], ALL)
    pair.is_detailed = True
    file.touch()
    masks = [change[1] for change in drain(pair)]
    assert masks == [CREATE, CLOSE_WRITE]
    file.rename(tmp_path / "elsewhere")
    assert [change[1] for change in drain(pair)] == [DELETE | MOVED_FROM]
