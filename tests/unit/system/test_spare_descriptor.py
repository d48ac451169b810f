"""Directories are listed although no descriptor is free."""

import errno
import os
import re
import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from gamin.system import filesystem
from gamin.system.spare_descriptor import SPARE, SpareDescriptor

EMFILE = re.escape(os.strerror(errno.EMFILE))


@contextmanager
def no_free_descriptor() -> Iterator[None]:
    """All numbers below the soft limit are used; the held spare has one of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as taken:
        top = os.dup(0)
        taken.callback(os.close, top)
        taken.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        used = max(top, *(int(name) for name in os.listdir("/proc/self/fd")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 1, hard))
        while True:
            try:
                taken.callback(os.close, os.dup(0))
            except OSError:
                break
        yield


@pytest.fixture
def spare() -> Iterator[SpareDescriptor]:
    SPARE.hold()
    yield SPARE
    SPARE.release()


def test_a_scan_without_free_descriptors_uses_the_spare_one_and_keeps_it(
    spare: SpareDescriptor, tmp_path: Path
) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").touch()
    path = bytes(tmp_path)
    with no_free_descriptor():
        for _ in range(3):
            assert filesystem.scan(path, 0) == ([b"directory"], [b"file"], ())
        assert sorted(filesystem.scan(path, 1)[2]) == [b"directory", b"file"]
        assert spare.is_held


def test_without_the_spare_one_the_scan_fails(tmp_path: Path) -> None:
    assert not SPARE.is_held
    with no_free_descriptor(), pytest.raises(OSError, match=EMFILE):
        filesystem.scan(bytes(tmp_path), 0)


def test_the_spare_one_changes_no_other_error(
    spare: SpareDescriptor, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        filesystem.scan(bytes(tmp_path / "missing"), 0)
    assert spare.is_held


def test_the_spare_one_is_taken_again_when_there_is_room() -> None:
    own = SpareDescriptor()
    with no_free_descriptor():
        own.hold()
        assert not own.is_held
    own.hold()
    assert own.is_held
    own.release()
    assert not own.is_held
