"""What a package installs beside the program is what the program itself prints."""

import contextlib
import io
from pathlib import Path

import pytest

from gamin.cli import data_files
from gamin.cli.main import main


def printed(*words: str) -> str:
    raw = io.BytesIO()
    with contextlib.redirect_stdout(io.TextIOWrapper(raw, "utf-8")):
        assert main(words) == 0
        return raw.getvalue().decode()


@pytest.mark.parametrize("shell", data_files.COMPLETIONS)
def test_the_completions_are_those_that_the_program_prints(shell: str) -> None:
    path = data_files.COMPLETIONS[shell]
    assert data_files.data_files()[path] == printed("completions", shell)


def test_the_manual_page_is_the_one_that_the_program_prints(tmp_path: Path) -> None:
    data_files.write(tmp_path)
    found = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {*data_files.COMPLETIONS.values(), data_files.MANUAL_PAGE}
    assert (tmp_path / data_files.MANUAL_PAGE).read_text() == printed("man")
