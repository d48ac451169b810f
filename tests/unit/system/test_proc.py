"""What /proc says about processes and descriptors."""

import os
from pathlib import Path

from gamin.system.proc import path_of_descriptor, program_of


def test_the_program_of_this_process_has_a_name() -> None:
    assert program_of(os.getpid()) not in ("", "?")


def test_the_program_of_a_missing_process_is_unknown() -> None:
    assert program_of(2**22 + 1) == "?"


def test_an_open_file_has_its_path(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        expected = os.fsencode(tmp_path / "file")
        assert path_of_descriptor(file.fileno()) == expected


def test_a_closed_descriptor_has_no_path() -> None:
    assert path_of_descriptor(1_000_000) == b""
