"""What /proc says about processes and descriptors."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gamin.system.proc import (
    arguments_of,
    directory_of,
    environment_of,
    executable_of,
    path_of_descriptor,
    path_through,
    program_of,
    user_of,
)


def test_the_program_of_this_process_has_a_name() -> None:
    assert program_of(os.getpid()) not in ("", "?")


def test_the_program_of_a_missing_process_is_unknown() -> None:
    assert program_of(2**22 + 1) == "?"


def test_a_process_has_a_current_directory_while_it_runs() -> None:
    assert directory_of(os.getpid()) == os.getcwd()
    assert directory_of(2**22 + 1) == ""


def test_an_open_file_has_its_path(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        expected = os.fsencode(tmp_path / "file")
        assert path_of_descriptor(file.fileno()) == expected


def test_a_closed_descriptor_has_no_path() -> None:
    assert path_of_descriptor(1_000_000) == b""


def test_a_process_has_a_user_a_file_that_it_runs_and_arguments() -> None:
    pid = os.getpid()
    assert user_of(pid) == os.getuid()
    assert os.path.samefile(executable_of(pid), "/proc/self/exe")
    assert arguments_of(pid)
    assert all(b"=" in entry for entry in environment_of(pid) if entry)


@pytest.mark.parametrize("ask", [user_of, executable_of, arguments_of, environment_of])
def test_a_missing_process_is_an_error(ask: Callable[[int], object]) -> None:
    with pytest.raises(FileNotFoundError):
        ask(2**22 + 1)


def test_an_entry_is_found_through_its_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    opened = os.open(tmp_path, os.O_PATH)
    try:
        assert os.path.samefile(path_through(opened, b"file"), tmp_path / "file")
    finally:
        os.close(opened)
