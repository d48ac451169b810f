"""`gamin service`, with a `systemctl` that only writes down what it is asked."""

import os
from pathlib import Path

import pytest

from gamin.cli.main import main
from gamin.cli.service import MARK, ServiceFailed, delete, unit_directory, write
from gamin.cli.service_units import units

SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in *show*) [ -z "$NO_MANAGER" ] || { echo "no bus" >&2; exit 1; } ;; esac
"""


@pytest.fixture
def calls(tmp_path: Path, session: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the calls of `systemctl`; everything else is in `tmp_path` too."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "systemctl").write_text(SYSTEMCTL)
    (programs / "systemctl").chmod(0o755)
    made = tmp_path / "calls"
    made.touch()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(made))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GAM_CLIENT_ID", session)
    monkeypatch.setenv("GAMIN_SOCKET_DIR", str(tmp_path))
    return made


def test_install_writes_the_units_and_starts_the_socket(
    calls: Path, session: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["service", "install"]) == 0
    directory = unit_directory(os.environ)
    text = (directory / f"gamin-{session}.service").read_text()
    assert text.startswith(MARK)
    assert calls.read_text().splitlines()[-1] == (
        f"--user enable --now gamin-{session}.socket"
    )
    assert "the first program that calls" in capsys.readouterr().out
    assert main(["service", "status"]) == 0
    assert main(["service", "remove"]) == 0
    assert not list(directory.iterdir())
    assert f"--user disable --now gamin-{session}.socket" in calls.read_text()
    assert main(["service", "status"]) == 1


def test_a_publisher_is_a_unit_of_its_own(calls: Path, tmp_path: Path) -> None:
    words = ["service", "install", "--publish", str(tmp_path / "p.toml")]
    assert main(words) == 0
    text = (unit_directory(os.environ) / "gamin-publish-p.service").read_text()
    assert f"publish --config {tmp_path}/p.toml\n" in text
    last = calls.read_text().splitlines()[-1]
    assert last == "--user enable --now gamin-publish-p.service"
    assert main(["service", "remove", *words[2:]]) == 0
    assert not list(unit_directory(os.environ).iterdir())


def test_a_publisher_of_another_file_is_neither_replaced_nor_removed(
    calls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["service", "install", "--publish", str(tmp_path / "p.toml")]) == 0
    other = str(tmp_path / "other" / "p.toml")
    for action in ("install", "remove"):
        assert main(["service", action, "--publish", other]) == 1
        assert "is for another file" in capsys.readouterr().err
    assert list(unit_directory(os.environ).iterdir())


def test_without_a_manager_nothing_is_written_and_the_error_says_what_to_do(
    calls: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_MANAGER", "1")
    assert main(["service", "install"]) == 1
    error = capsys.readouterr().err
    assert "(no bus)" in error
    assert "--notimeout &" in error
    assert not unit_directory(os.environ).exists()


def test_print_shows_the_units_and_changes_nothing(
    calls: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["service", "install", "--print"]) == 0
    assert "\nListenStream=%t/gamin/" in capsys.readouterr().out
    assert calls.read_text() == ""


def test_a_unit_of_somebody_else_is_neither_replaced_nor_removed(
    tmp_path: Path,
) -> None:
    made = units("", ["/bin/true"])
    foreign = tmp_path / "gamin.service"
    foreign.write_text("[Service]\nExecStart=/bin/mine\n")
    with pytest.raises(ServiceFailed, match="was not made by gamin"):
        write(made, tmp_path)
    with pytest.raises(ServiceFailed, match="was not made by gamin"):
        delete(made, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["gamin.service"]
