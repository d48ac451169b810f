"""Which file system it is, whatever the number of its device."""

import os
from pathlib import Path

import pytest

from gamin.system.file_system_id import FileSystemIds


def test_all_directories_of_a_file_system_have_one_id(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    device = tmp_path.stat().st_dev
    first = FileSystemIds().of(device, bytes(tmp_path))
    again = FileSystemIds().of(device, bytes(tmp_path / "sub"))
    assert first == again
    assert 0 < first < 1 << 63


def test_it_is_asked_for_once(tmp_path: Path) -> None:
    ids = FileSystemIds()
    device = tmp_path.stat().st_dev
    first = ids.of(device, bytes(tmp_path))
    assert ids.of(device, b"/nowhere/at/all") == first
    with pytest.raises(FileNotFoundError):
        ids.of(device + 1, b"/nowhere/at/all")


def test_a_descriptor_is_as_good_as_a_path(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    descriptor = os.open(tmp_path, os.O_PATH)
    try:
        by_descriptor = FileSystemIds().of(device, descriptor)
    finally:
        os.close(descriptor)
    assert by_descriptor == FileSystemIds().of(device, bytes(tmp_path))
