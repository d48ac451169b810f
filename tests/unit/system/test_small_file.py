"""Small files are read even without a free descriptor, and cost none for long."""

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.system.small_file import opened
from gamin.system.spare_descriptor import SPARE
from testkit.descriptors import all_descriptors_taken, no_descriptor_is_left_open

EMFILE = re.escape(os.strerror(errno.EMFILE))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("text")
    return path


@pytest.fixture
def spare() -> Iterator[None]:
    SPARE.hold()
    yield
    SPARE.release()


def read(path: Path, *, follows: bool = True) -> bytes:
    with opened(bytes(path), follows=follows) as file:
        return file.read()


@pytest.mark.usefixtures("spare")
def test_a_file_is_read_again_and_again_without_a_free_descriptor(file: Path) -> None:
    with all_descriptors_taken():
        assert [read(file), read(file)] == [b"text", b"text"]
        assert SPARE.is_held


def test_without_the_spare_one_no_file_is_opened(file: Path) -> None:
    with all_descriptors_taken(), pytest.raises(OSError, match=EMFILE):
        read(file)


@pytest.mark.parametrize("name", ["missing", "."])
def test_what_is_no_file_costs_no_descriptor(name: str, tmp_path: Path) -> None:
    with (
        no_descriptor_is_left_open(),
        pytest.raises(OSError, match=r"No such|Is a directory"),
    ):
        read(tmp_path / name)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read(tmp_path / "pipe") == b""


def test_a_link_is_followed_unless_that_is_not_wanted(
    file: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    assert read(link) == b"text"
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.ELOOP))):
        read(link, follows=False)
