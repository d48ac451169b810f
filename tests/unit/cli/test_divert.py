"""Putting this server in the place of the one that libgamin starts."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gamin.cli.divert import MARK, SERVERS, DivertFailed, divert, undivert
from testkit.processes import require_root

ORIGINAL = "#!/bin/sh\necho the original\n"
COMMAND = ["/bin/echo", "ours"]


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A system of its own, with the original server and dpkg's records."""
    require_root()
    if shutil.which("dpkg-divert") is None:
        pytest.skip("dpkg-divert is not installed")
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    server = place(str(tmp_path))
    server.parent.mkdir(parents=True)
    server.write_text(ORIGINAL)
    server.chmod(0o755)
    return str(tmp_path)


def place(root: str) -> Path:
    return Path(root + SERVERS[0])


def run(program: Path) -> str:
    done = subprocess.run([program, "one"], capture_output=True, text=True, check=True)
    return done.stdout


def diversions(root: str) -> str:
    listing = ["dpkg-divert", "--root", root, "--list"]
    return subprocess.run(listing, capture_output=True, text=True, check=True).stdout


def test_a_diverted_server_is_ours_and_comes_back(root: str) -> None:
    server = place(root)
    assert divert(is_dry=False, root=root, command=COMMAND) == 0
    assert run(server) == "ours one\n"
    assert run(server.with_name("gam_server.original")) == "the original\n"
    assert SERVERS[0] in diversions(root)
    assert undivert(is_dry=False, root=root) == 0
    assert server.read_text() == ORIGINAL
    assert diversions(root) == ""


def test_what_would_be_done_is_printed_and_not_done(
    root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert divert(is_dry=True, root=root, command=COMMAND) == 0
    assert f"move {place(root)} to {place(root)}.original" in capsys.readouterr().out
    assert place(root).read_text() == ORIGINAL
    assert undivert(is_dry=True, root=root) == 0
    assert "nothing to undo" in capsys.readouterr().out


def failing(*_: object, **__: object) -> None:
    raise DivertFailed("dpkg is locked")


def test_a_failed_return_leaves_ours_in_place_and_can_be_repeated(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    divert(is_dry=False, root=root, command=COMMAND)
    with monkeypatch.context() as locked:
        locked.setattr("gamin.cli.divert._dpkg_divert", failing)
        with pytest.raises(DivertFailed, match="locked"):
            undivert(is_dry=False, root=root)
    assert run(place(root)) == "ours one\n"
    assert undivert(is_dry=False, root=root) == 0
    assert place(root).read_text() == ORIGINAL
    assert [path.name for path in place(root).parent.iterdir()] == ["gam_server"]


def test_an_interrupted_return_is_completed(root: str) -> None:
    divert(is_dry=False, root=root, command=COMMAND)
    place(root).unlink()
    assert undivert(is_dry=False, root=root) == 0
    assert place(root).read_text() == ORIGINAL


def test_to_divert_twice_changes_nothing(root: str) -> None:
    divert(is_dry=False, root=root, command=COMMAND)
    assert divert(is_dry=False, root=root, command=["/bin/false"]) == 0
    assert MARK in place(root).read_text()
    assert run(place(root)) == "ours one\n"


def test_a_system_without_the_original_server_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DivertFailed, match="not installed"):
        divert(is_dry=False, root=str(tmp_path), command=COMMAND)


@pytest.mark.parametrize(("mode", "reason"), [(0o777, "changed"), (0o700, "entered")])
def test_a_program_that_is_not_for_everybody_is_refused(
    mode: int, reason: str, root: str, tmp_path: Path
) -> None:
    directory = tmp_path / "private"
    directory.mkdir()
    directory.chmod(mode)
    program = directory / "server"
    program.touch(0o755)
    with pytest.raises(DivertFailed, match=rf"{reason} by .*other|{reason} by other"):
        divert(is_dry=False, root=root, command=[os.fspath(program)])
    assert place(root).read_text() == ORIGINAL
