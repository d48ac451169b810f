"""`gamin service`: the server as a systemd unit of the user, or for all of libgamin."""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from gamin.cli import divert
from gamin.cli.control import find_address
from gamin.cli.service_units import Units, publisher_unit, units
from gamin.cli.watchman_launcher import command_words
from gamin.client.launch import server_command
from gamin.errors import GaminError
from gamin.paths import printable

MARK = "# Made by `gamin service install`; `gamin service remove` removes it.\n"
"""The first line of our own unit files: nobody else's are replaced or removed."""

WITHOUT_SYSTEMD = """\
no systemd manager of this user answers ({reason}).
Nothing has to be installed: the first program that watches starts the server, and it
ends when it was idle for 30 s. To have it run from the login on, let a start-up file
of your session run:
  {command} --notimeout &"""


class ServiceFailed(GaminError):
    """What was asked for cannot be done."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "gamin service install [--print] [--publish FILE]\n"
        "       gamin service remove|status|logs [--publish FILE] [-f]\n"
        "       gamin service divert|undivert [--dry-run]"
    )
    parser.description = (
        "Let systemd start the server of the session (GAM_CLIENT_ID) when a program\n"
        "calls, start it again if it fails, and keep its log; or, as root, let every\n"
        "user's libgamin start this server instead of the original one."
    )
    parser.epilog = (
        "examples:\n"
        "  gamin service install            for you, from now on\n"
        "  gamin service install --print    only show the units\n"
        "  sudo gamin service divert        for all programs that use libgamin\n"
        "\n"
        "exit status: 0 done (status: installed), 1 failed, 64 wrong usage"
    )
    parser.add_argument(
        "action",
        choices=("install", "remove", "status", "logs", "divert", "undivert"),
        help="write the units and start the socket; take them away; show the units; "
        "show the log; put this server in the place of the original one; undo it",
    )
    parser.add_argument(
        "--print",
        dest="is_dry",
        action="store_true",
        help="show what install would write, and change nothing",
    )
    parser.add_argument(
        "--dry-run",
        dest="is_dry",
        action="store_true",
        help="show what divert and undivert would do, and change nothing",
    )
    parser.add_argument(
        "--publish",
        metavar="FILE",
        help="not the server, but `gamin publish --config FILE`",
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="logs: wait for what comes"
    )


def run(args: argparse.Namespace) -> int:
    match args.action:
        case "divert":
            return divert.divert(is_dry=args.is_dry)
        case "undivert":
            return divert.undivert(is_dry=args.is_dry)
    if args.publish:
        settings = os.path.abspath(args.publish)
        command = command_words("publish", "--config", settings)
        made = publisher_unit(settings, command)
    else:
        session = os.fsdecode(find_address(os.environ).session)
        made = units(session, [*server_command({})])
    match args.action:
        case "install":
            return _print(made) if args.is_dry else _install(made)
        case "remove":
            return _remove(made)
        case "status":
            return _status(made)
    more = ["--follow"] if args.follow else []
    return _run("journalctl", "--user", "--unit", f"{made.name}.service", *more)


def unit_directory(environ: Mapping[str, str]) -> Path:
    """Where units of the user are: $XDG_CONFIG_HOME/systemd/user, or else below
    ~/.config."""
    place = environ.get("XDG_CONFIG_HOME", "")
    base = Path(place) if place.startswith("/") else Path.home() / ".config"
    return base / "systemd" / "user"


def _print(made: Units) -> int:
    directory = unit_directory(os.environ)
    for name, text in made.files.items():
        print(f"# {printable(str(directory / name))}\n{text}")
    return 0


def _install(made: Units) -> int:
    problem = _manager_problem()
    if problem is not None:
        command = " ".join(server_command({}))
        text = WITHOUT_SYSTEMD.format(reason=problem, command=command)
        print(f"gamin: {text}", file=sys.stderr)
        return 1
    write(made, unit_directory(os.environ))
    _systemctl("daemon-reload")
    # A server that runs has the addresses. Programs that watch start the next one.
    _systemctl("stop", f"{made.name}.service", may_fail=True)
    is_server = made.started.endswith(".socket")
    if is_server:
        _stop_server()
    _systemctl("enable", "--now", made.started)
    if is_server:
        print(f"{made.started} listens; the first program that calls starts the server")
    else:
        print(f"{made.started} runs, and starts with each login")
    return 0


def write(made: Units, directory: Path) -> None:
    """Write the unit files. Raises ServiceFailed if one of them is somebody else's."""
    for name in made.files:
        _check_ours(directory / name, made.purpose)
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in made.files.items():
        new = directory / f".{name}.{os.getpid()}"
        new.write_text(MARK + text)
        new.replace(directory / name)
        print(printable(str(directory / name)))


def delete(made: Units, directory: Path) -> bool:
    """Remove our unit files; whether there were any. Raises ServiceFailed."""
    paths = [directory / name for name in made.files]
    for path in paths:
        _check_ours(path, made.purpose)
    existing = [path for path in paths if path.exists()]
    for path in existing:
        path.unlink()
    return bool(existing)


def _check_ours(path: Path, purpose: str) -> None:
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return
    if not text.startswith(MARK):
        raise ServiceFailed(
            f"{path} was not made by gamin: move it away, or keep using it"
        )
    if purpose not in text.splitlines() and purpose:
        raise ServiceFailed(f"{path} is for another file: give this one another name")


def _remove(made: Units) -> int:
    if _manager_problem() is None:
        for name in made.files:
            _systemctl("disable", "--now", name, may_fail=True)
    if not delete(made, unit_directory(os.environ)):
        print(f"{made.name}: not installed")
        return 0
    if _manager_problem() is None:
        _systemctl("daemon-reload")
    print(f"{made.name}: removed")
    return 0


def _status(made: Units) -> int:
    if not (unit_directory(os.environ) / made.started).exists():
        print(f"{made.name}: not installed")
        return 1
    problem = _manager_problem()
    if problem is not None:
        print(f"{made.name}: installed, but no systemd manager answers ({problem})")
        return 1
    _run("systemctl", "--user", "--no-pager", "status", *made.files)
    return 0


def _stop_server() -> None:
    from gamin.cli import stop

    stop.run(argparse.Namespace())


def _manager_problem() -> str | None:
    """Why the user's systemd manager cannot be used; None where it can."""
    if shutil.which("systemctl") is None:
        return "systemctl is not installed"
    asked = subprocess.run(
        ["systemctl", "--user", "show", "--property=Version"],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = asked.stderr.strip().splitlines()
    return None if asked.returncode == 0 else (lines or ["it fails"])[0]


def _systemctl(*words: str, may_fail: bool = False) -> None:
    done = subprocess.run(
        ["systemctl", "--user", *words], capture_output=True, text=True, check=False
    )
    if done.returncode and not may_fail:
        reason = done.stderr.strip() or f"exit status {done.returncode}"
        raise ServiceFailed(f"systemctl --user {' '.join(words)}: {reason}")


def _run(*command: str) -> int:
    """Run a program on our own streams; its exit status."""
    try:
        return subprocess.run(command, check=False).returncode
    except FileNotFoundError:
        raise ServiceFailed(f"{command[0]} is not installed") from None
