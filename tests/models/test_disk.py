"""The disk in memory and its inotify report what the real kernel reports."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamin.backends.base import KernelBackend
from gamin.backends.inotify import InotifyBackend
from gamin.core.coverage.method import FULL
from gamin.events import IGNORED, Change
from testkit.backends import drain
from testkit.doubles.disk import Disk
from testkit.doubles.kernel import KernelInMemory
from testkit.examples import examples

Act = tuple[str, bytes, bytes]
Told = tuple[bytes, int, bool, bytes]

NAMES = st.sampled_from([b"a", b"b", b"c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)
ALONE = st.sampled_from(
    ["mkdir", "touch", "write", "unlink", "rmdir", "utime", "mkfifo"]
)
ACTS = st.one_of(
    st.tuples(ALONE, PATHS, st.just(b"")),
    st.tuples(st.sampled_from(["rename", "link"]), PATHS, PATHS),
    st.tuples(st.just("symlink"), st.sampled_from([b"a", b"../a", b"b/c"]), PATHS),
)


class Place:
    """A watched directory that stays where it is."""

    def __init__(self, path: bytes) -> None:
        self.wd = -1
        self._path = path

    def path(self) -> bytes:
        return self._path


def _touch(path: bytes) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def _write(path: bytes) -> None:
    flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NONBLOCK
    with open(os.open(path, flags), "wb") as file:
        file.write(b"text")


REAL: dict[str, Callable[..., object]] = {
    "mkdir": os.mkdir,
    "touch": _touch,
    "write": _write,
    "unlink": os.unlink,
    "rmdir": os.rmdir,
    "utime": os.utime,
    "mkfifo": os.mkfifo,
    "rename": os.rename,
    "link": lambda old, new: os.link(old, new, follow_symlinks=False),
    "symlink": os.symlink,
}


def tried(function: Callable[..., object], paths: list[bytes]) -> bool:
    try:
        function(*paths)
    except OSError:
        return False
    return True


def reported(changes: Iterator[Change]) -> tuple[list[Told], set[bytes]]:
    """The changes in order, without what differs between two runs; and whose watch
    ended, which the kernel says at a moment of its own."""
    rest, ended = [], set()
    for node, mask, cookie, name in changes:
        if mask & IGNORED:
            ended.add(node.path())
        else:
            rest.append((node.path(), mask, cookie != 0, name))
    return rest, ended


class Both:
    """The same directory twice, watched alike."""

    def __init__(self, home: Path) -> None:
        self._home = home  # symlinks lead one step out of the root
        self.root = os.fsencode(home / "root")
        os.mkdir(self.root)
        self.disk = Disk()
        self.disk.makedirs(self.root)
        self.real: KernelBackend = InotifyBackend()
        self.model: KernelBackend = KernelInMemory(self.disk)

    def close(self) -> None:
        self.real.close()
        shutil.rmtree(self._home)
        self._home.mkdir()

    def watch(self) -> None:
        """Watch every directory there is."""
        directories = [
            self.root,
            *(p for p, i in self.disk.below(self.root) if i.is_dir),
        ]
        for backend in (self.real, self.model):
            for path in directories:
                backend.watch(Place(path), FULL)

    def act(self, act: Act) -> None:
        verb, *paths = act
        full = [self.root + b"/" + path for path in paths if path]
        if verb == "symlink":
            full[0] = paths[0]
        if verb == "write" and self._is_no_file(full[0]):
            return
        really = tried(REAL[verb], full)
        assert tried(getattr(self.disk, verb), full) is really, act

    def _is_no_file(self, path: bytes) -> bool:
        """Writing to a fifo waits for a reader."""
        return os.path.exists(path) and not os.path.isfile(path)

    def compare(self) -> None:
        assert reported(iter(drain(self.model))) == reported(iter(drained(self.real)))


def drained(backend: KernelBackend) -> list[Change]:
    changes = drain(backend)
    while backend.has_pending:
        changes += drain(backend)
    return changes


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    both = Both(tmp_path)
    yield both
    both.close()


@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(before=st.lists(ACTS, max_size=8), acts=st.lists(ACTS, min_size=1, max_size=8))
def test_the_disk_in_memory_reports_what_the_kernel_reports(
    tmp_path: Path, before: list[Act], acts: list[Act]
) -> None:
    both = Both(tmp_path)
    try:
        for act in before:
            both.act(act)
        both.watch()
        for act in acts:
            both.act(act)
            both.compare()
    finally:
        both.close()


def test_a_full_queue_ends_with_an_overflow(both: Both) -> None:
    both.watch()
    kernel = both.model
    assert isinstance(kernel, KernelInMemory)
    kernel.inotify.choke()
    both.disk.touch(both.root + b"/a")
    assert [change.node for change in kernel.drain()] == [None]
    both.disk.touch(both.root + b"/b")
    assert [change.name for change in kernel.drain()] == [b"b"]


def test_a_directory_one_may_not_read_cannot_be_watched(both: Both) -> None:
    both.disk.chmod(both.root, 0o300)
    with pytest.raises(PermissionError):
        both.model.watch(Place(both.root), FULL)
    both.disk.chmod(both.root, 0o600)
    with pytest.raises(PermissionError) as refused:
        both.disk.inode(both.root + b"/a")
    assert refused.value.errno == errno.EACCES


def test_a_mount_covers_a_directory_and_its_watch_ends_with_it(both: Both) -> None:
    mounted = both.root + b"/m"
    both.disk.makedirs(mounted)
    both.disk.mount(mounted)
    both.disk.touch(mounted + b"/x")
    node = Place(mounted)
    both.model.watch(node, FULL)
    both.disk.umount(mounted)
    assert [change.mask for change in drain(both.model)][-1] == IGNORED
    assert node.wd == -1
    assert not both.disk.exists(mounted + b"/x")
