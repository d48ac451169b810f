"""The calls themselves, against the real kernel: results, and how they fail."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.events import CREATE
from gamin.system import libc


@pytest.fixture
def inotify() -> Iterator[int]:
    fd = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
    yield fd
    os.close(fd)


def test_a_watch_has_a_positive_number(inotify: int, tmp_path: Path) -> None:
    assert libc.inotify_add_watch(inotify, bytes(tmp_path), CREATE) > 0


def test_watching_what_is_missing_names_the_path(inotify: int, tmp_path: Path) -> None:
    missing = bytes(tmp_path / "missing")
    with pytest.raises(FileNotFoundError) as failure:
        libc.inotify_add_watch(inotify, missing, CREATE)
    assert failure.value.filename == missing
    assert failure.value.errno == errno.ENOENT
    assert failure.value.strerror == os.strerror(errno.ENOENT)


def test_a_path_is_not_cut_at_a_nul(inotify: int, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="null byte") as failure:
        libc.inotify_add_watch(inotify, bytes(tmp_path) + b"\0tail", CREATE)
    assert failure.value.errno == errno.EINVAL


def test_a_watch_can_be_removed_once(inotify: int, tmp_path: Path) -> None:
    watch = libc.inotify_add_watch(inotify, bytes(tmp_path), CREATE)
    libc.inotify_rm_watch(inotify, watch)
    with pytest.raises(OSError, match="Invalid argument") as failure:
        libc.inotify_rm_watch(inotify, watch)
    assert failure.value.errno == errno.EINVAL


def test_flags_the_kernel_does_not_know_are_an_error() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        libc.inotify_init1(1)


def test_fanotify_refuses_flags_it_does_not_know() -> None:
    # EINVAL where fanotify may be used, EPERM or ENOSYS where not.
    with pytest.raises(OSError, match=r"\[Errno"):
        libc.fanotify_init(0x8000_0000, 0)


def test_marking_without_a_group_is_an_error() -> None:
    with pytest.raises(OSError, match=r"\[Errno") as failure:
        libc.fanotify_mark(-1, 1, CREATE, -1, b"/")
    assert failure.value.filename == b"/"


def test_two_names_of_one_file_have_the_same_handle(tmp_path: Path) -> None:
    one, other, alien = (tmp_path / name for name in ("one", "other", "alien"))
    one.touch()
    other.hardlink_to(one)
    alien.touch()
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        handles = [
            libc.name_to_handle_at(directory, os.fsencode(path.name), 0)
            for path in (one, other, alien)
        ]
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        pytest.skip("this file system has no handles")
    finally:
        os.close(directory)
    assert handles[0] == handles[1] != handles[2]
    assert 0 < len(handles[0][1]) <= libc.MAX_HANDLE_SIZE


def test_the_handle_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        libc.name_to_handle_at(-1, bytes(tmp_path / "missing"), 0)


def test_a_timer_that_cannot_be_made_or_set_is_an_error() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        libc.timerfd_create(-1, 0)
    with pytest.raises(OSError, match="Bad file descriptor"):
        libc.timerfd_settime(-1, 1)
