"""`gamin exec`: the environment that a program gets."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from gamin.cli import exec as exec_command
from gamin.cli.parser import Parser
from gamin.compat import settings


def parsed(*words: str) -> argparse.Namespace:
    parser = Parser(prog="gamin exec")
    exec_command.configure(parser)
    return parser.parse(words)


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment before, where a server runs without a socket for Watchman."""
    monkeypatch.setattr(exec_command, "start", lambda environ: None)
    return {}


def prepared(environ: dict[str, str], *words: str) -> Mapping[str, str]:
    """What `gamin exec` adds to the environment."""
    before = dict(environ)
    exec_command.prepare(environ, parsed(*words, "--", "true"))
    return {
        name: environ[name] for name in environ if environ[name] != before.get(name)
    }


def test_both_libraries_are_replaced_by_a_folder_in_front_of_all_others(
    environ: dict[str, str],
) -> None:
    environ["PYTHONPATH"] = "/mine"
    assert prepared(environ) == {
        settings.REPLACE: "watchfiles,watchdog,hupper",
        "PYTHONPATH": f"{exec_command.SITE}{os.pathsep}/mine",
    }
    assert Path(exec_command.SITE, "sitecustomize.py").is_file()


def test_an_empty_path_of_modules_gains_no_current_directory(
    environ: dict[str, str],
) -> None:
    environ["PYTHONPATH"] = ""
    assert prepared(environ)["PYTHONPATH"] == exec_command.SITE


def test_only_what_is_named_is_replaced(environ: dict[str, str]) -> None:
    assert prepared(environ, "--only", "watchdog")[settings.REPLACE] == "watchdog"


def test_hupper_keeps_watchman_where_the_service_is_not_to_be_its_watchman(
    environ: dict[str, str],
) -> None:
    both = ("--only", "watchdog", "--only", "pywatchman")
    assert prepared(environ, *both)[settings.REPLACE] == "watchdog,hupper"


def test_nothing_is_replaced_for_pywatchman_alone(environ: dict[str, str]) -> None:
    assert prepared(environ, "--only", "pywatchman") == {}


def test_options_become_variables(environ: dict[str, str]) -> None:
    added = prepared(environ, "--polling-too", "--vcs-ignore")
    assert added[settings.POLLING_TOO] == added[settings.VCS_IGNORE] == "1"


def test_a_server_s_socket_is_for_programs_that_know_watchman(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exec_command, "start", lambda environ: "/s")
    assert prepared(environ)["WATCHMAN_SOCK"] == "/s"
    assert "WATCHMAN_SOCK" not in prepared({}, "--only", "watchdog")


def test_without_a_service_the_program_gets_its_environment_as_it_is(
    session: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {
        "GAM_CLIENT_ID": session,
        "GAMIN_SOCKET_DIR": str(tmp_path),
        "GAMIN_DEBUG_SERVER": str(tmp_path / "missing"),
    }
    assert prepared(environ, "--polling-too") == {}
    assert "running without the service" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("program", "status"), [("no-such-program-at-all", 127), ("/dev/null", 126)]
)
def test_a_program_that_cannot_be_started_has_the_status_of_shells(
    program: str,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(settings.REPLACE, "0")
    assert exec_command.run(parsed("--", program)) == status
    assert program in capsys.readouterr().err


def test_no_program_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        exec_command.run(parsed())
    assert end.value.code == 64
    assert "which program?" in capsys.readouterr().err
