"""Starts the server by the program that a site names for that.

`spawn_watchman_service` of Watchman's global configuration is a program that gets the
options of the server as arguments, and has it run in the background.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence

from gamin.cli.watchman_service import SpawnerFailed
from gamin.config.loader import watchman_files
from gamin.protocol.watchman.config_file import MAX_SIZE, read_object
from gamin.protocol.watchman.errors import BadRequest
from gamin.system.small_file import opened

KEY = "spawn_watchman_service"


def site_spawner(environ: Mapping[str, str]) -> str | None:
    """The program; None if the configuration names none. Raises BadRequest for a
    configuration that makes no sense."""
    found: str | None = None
    for path in watchman_files(environ):
        try:
            with opened(os.fsencode(path)) as file:
                text = file.read(MAX_SIZE)
        except OSError:
            continue
        program = read_object(text, path).get(KEY, found)
        if not isinstance(program, str | None):
            raise BadRequest(f"{path}: {KEY} must be a string")
        found = program
    return found


def spawn(
    program: str,
    options: Sequence[str],
    logfile: str | None,
    environ: Mapping[str, str],
) -> None:
    """Run the program to its end; what it prints goes to the log. Raises
    SpawnerFailed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    try:
        log = os.open(logfile or os.devnull, flags, 0o600)
        try:
            done = subprocess.run(
                [program, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environ,
            )
        finally:
            os.close(log)
    except OSError as error:
        raise SpawnerFailed(
            f"Failed to spawn watchman via `{program}': {error.strerror}"
        ) from None
    if done.returncode < 0:
        raise SpawnerFailed(f"{program}: signaled with {-done.returncode}")
    if done.returncode:
        raise SpawnerFailed(f"{program}: exited with status {done.returncode}")
