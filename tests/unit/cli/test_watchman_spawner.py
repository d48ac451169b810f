"""The site's own program starts the server, where the configuration names one."""

import json
from pathlib import Path

import pytest

from gamin.cli.watchman_service import NO_STATE, Options, Service, SpawnerFailed
from gamin.cli.watchman_spawner import site_spawner, spawn
from gamin.protocol.watchman.errors import BadRequest


@pytest.fixture
def environ(session: str, tmp_path: Path) -> dict[str, str]:
    return {
        "GAM_CLIENT_ID": session,
        "GAMIN_SOCKET_DIR": str(tmp_path),
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "WATCHMAN_CONFIG_FILE": str(tmp_path / "config.json"),
    }


def program(folder: Path, script: str) -> str:
    path = folder / "spawner"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


def configure(folder: Path, name: str, **options: object) -> None:
    (folder / name).write_text(json.dumps(options))


def test_the_user_names_another_program_than_the_site(
    environ: dict[str, str], tmp_path: Path
) -> None:
    assert site_spawner(environ) is None
    configure(tmp_path, "config.json", spawn_watchman_service="/site")
    assert site_spawner(environ) == "/site"
    configure(tmp_path, ".watchman.json", spawn_watchman_service="/user")
    assert site_spawner(environ) == "/user"


def test_a_configuration_that_makes_no_sense_is_an_error(
    environ: dict[str, str], tmp_path: Path
) -> None:
    configure(tmp_path, "config.json", spawn_watchman_service=1)
    with pytest.raises(BadRequest, match="spawn_watchman_service must be a string"):
        site_spawner(environ)


def test_the_program_gets_the_options_of_the_server(
    environ: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    spawn(program(tmp_path, 'echo "$@"'), ["--a", "--b=c"], str(log), environ)
    assert log.read_text() == "--a --b=c\n"


@pytest.mark.parametrize(
    ("script", "why"),
    [("exit 3", "exited with status 3"), ("kill -9 $$", "signaled with 9")],
)
def test_a_program_that_fails_is_an_error(
    script: str, why: str, environ: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(SpawnerFailed, match=why):
        spawn(program(tmp_path, script), [], None, environ)


def test_a_program_that_is_not_there_is_an_error(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(SpawnerFailed, match="No such file or directory"):
        spawn(str(tmp_path / "missing"), [], None, environ)


def test_a_server_is_started_by_the_program(
    environ: dict[str, str], tmp_path: Path
) -> None:
    configure(
        tmp_path, "config.json", spawn_watchman_service=program(tmp_path, "exit 3")
    )
    options = Options(sockname=str(tmp_path / "sock"), statefile=NO_STATE)
    with pytest.raises(SpawnerFailed):
        Service(options, environ).connect(start=True)
    log = tmp_path / "log"
    script = f'echo "$@" >> {log}; exit 3'
    program(tmp_path, script)
    with pytest.raises(SpawnerFailed):
        Service(options, environ).connect(start=True)
    assert log.read_text() == f"--sockname={tmp_path}/sock --no-save-state\n"
