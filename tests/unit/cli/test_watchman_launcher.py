"""The command `watchman`, put into a directory and taken away again."""

import os
import subprocess
from pathlib import Path

import pytest

from gamin.cli.watchman_launcher import MARK, command_words, install, uninstall
from gamin.protocol.watchman.version import VERSION


def test_the_command_runs_whatever_the_environment_is(tmp_path: Path) -> None:
    assert install(str(tmp_path)) == 0
    program = tmp_path / "watchman"
    environ = {"PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere", "PATH": "/bin"}
    done = subprocess.run(
        [program, "--version"],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == VERSION


def test_the_file_can_be_executed_by_all_and_written_by_its_owner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    umask = os.umask(0o022)
    try:
        install(str(tmp_path))
    finally:
        os.umask(umask)
    assert (tmp_path / "watchman").stat().st_mode & 0o777 == 0o755
    assert capsys.readouterr().out == f"{tmp_path}/watchman\n"
    assert [path.name for path in tmp_path.iterdir()] == ["watchman"]


def test_it_can_be_installed_again_and_removed(tmp_path: Path) -> None:
    assert install(str(tmp_path)) == install(str(tmp_path)) == 0
    assert uninstall(str(tmp_path)) == uninstall(str(tmp_path)) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "link", "directory"])
def test_somebody_s_own_watchman_stays(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "watchman"
    ours = tmp_path / "ours"
    ours.write_text(MARK)
    match kind:
        case "file":
            place.write_text("theirs")
        case "link":
            place.symlink_to(ours)  # even to a file of ours
        case _:
            place.mkdir()
    assert install(str(tmp_path)) == 1
    assert uninstall(str(tmp_path)) == 1
    assert capsys.readouterr().err.count("is not ours: left as it is") == 2
    assert os.path.lexists(place)


def test_a_directory_that_is_missing_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install(str(tmp_path / "missing")) == 1
    assert "cannot write" in capsys.readouterr().err


def test_words_are_passed_on_behind_the_program() -> None:
    assert command_words("git", "hook")[-2:] == ["git", "hook"]
    assert "-I" in command_words()
