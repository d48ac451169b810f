"""Directories are listed although no descriptor is free."""

import errno
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.system import filesystem
from gamin.system.spare_descriptor import SPARE, SpareDescriptor
from testkit.descriptors import all_descriptors_taken

EMFILE = re.escape(os.strerror(errno.EMFILE))


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
    with all_descriptors_taken():
        for _ in range(3):
            assert filesystem.scan(path, 0) == ([b"directory"], [b"file"], ())
        assert sorted(filesystem.scan(path, 1)[2]) == [b"directory", b"file"]
        assert spare.is_held


def test_without_the_spare_one_the_scan_fails(tmp_path: Path) -> None:
    assert not SPARE.is_held
    with all_descriptors_taken(), pytest.raises(OSError, match=EMFILE):
        filesystem.scan(bytes(tmp_path), 0)


def test_the_spare_one_changes_no_other_error(
    spare: SpareDescriptor, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        filesystem.scan(bytes(tmp_path / "missing"), 0)
    assert spare.is_held


def test_the_spare_one_is_taken_again_when_there_is_room() -> None:
    own = SpareDescriptor()
    with all_descriptors_taken():
        own.hold()
        assert not own.is_held
    own.hold()
    assert own.is_held
    own.release()
    assert not own.is_held


def test_another_thread_cannot_borrow_it(
    spare: SpareDescriptor, tmp_path: Path
) -> None:
    errors: list[int | None] = []

    def scan() -> None:
        try:
            filesystem.scan(bytes(tmp_path), 0)
        except OSError as error:
            errors.append(error.errno)

    thread = threading.Thread(target=scan)
    with all_descriptors_taken():
        thread.start()
        thread.join()
        assert filesystem.scan(bytes(tmp_path), 0) == ([], [], ())
    assert errors == [errno.EMFILE]


def test_what_others_took_while_it_was_lent_is_replaced_when_there_is_room() -> None:
    own = SpareDescriptor()
    own.hold()
    with all_descriptors_taken():
        with own.lent(OSError(errno.EMFILE, "full")):
            stolen = os.dup(0)
        assert own.is_missing
        own.hold_again()
        assert own.is_missing
        os.close(stolen)
        own.hold_again()
        assert own.is_held
    own.release()
    own.hold_again()
    assert not own.is_held
