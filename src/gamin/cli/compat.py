"""`gamin compat status`: what the file-watching libraries of this Python use here."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from gamin.cli.exec import NAMES, PYWATCHMAN, SITE
from gamin.cli.parser import Parser
from gamin.compat import settings
from gamin.paths import printable

TESTED: dict[str, tuple[str, ...]] = {
    "watchfiles": ("1.3.0",),
    "watchdog": ("6.0.0", "7.1.0"),
}
"""The versions whose own tests pass over the service; see docs/drop-in.md."""


class Library(NamedTuple):
    """One library of this Python environment."""

    name: str
    version: str | None
    """None: it is not installed."""
    uses_gamin: bool
    """Whether a program that is started here, and imports it, uses the service."""
    why: str
    """The reason, in words."""


def configure(parser: Parser) -> None:
    parser.usage = "gamin compat status [--json]"
    parser.description = (
        "Show which file-watching libraries this Python has, and whether a program\n"
        "that is started here would watch through the service."
    )
    parser.epilog = (
        "examples:\n"
        "  gamin compat status\n"
        "  gamin exec -- gamin compat status      what a program sees under gamin exec"
        "\n\nexit status: 0 done, 64 wrong usage"
    )
    parser.add_argument("action", choices=("status",), help="what to do")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace) -> int:
    found = [library(name, os.environ) for name in NAMES]
    if args.json:
        print(json.dumps([each._asdict() for each in found]))
        return 0
    print(f"{'python':<11} {printable(sys.executable)}")
    for each in found:
        engine = "gamin" if each.uses_gamin else "by itself"
        line = f"{each.name:<11} {each.version or '-':<9} {engine:<10} {each.why}"
        print(printable(line))
    return 0


def library(name: str, environ: Mapping[str, str]) -> Library:
    """What there is to know of a library."""
    try:
        found = version(name)
    except PackageNotFoundError:
        return Library(name, None, False, "not installed")
    if name == PYWATCHMAN:
        socket = environ.get("WATCHMAN_SOCK")
        why = "WATCHMAN_SOCK is not set" if socket is None else f"socket {socket}"
        return Library(name, found, socket is not None, why)
    uses, why = _engine(name, environ)
    if uses and found not in TESTED[name]:
        why = f"tested with {' and '.join(TESTED[name])}"
    return Library(name, found, uses, why)


def _engine(name: str, environ: Mapping[str, str]) -> tuple[bool, str]:
    """Whether a program's engine is replaced, and why."""
    if sys.platform != "linux":
        return False, "gamin needs Linux"
    value = environ.get(settings.REPLACE, "")
    if value.lower() in settings.OFF:
        return False, f"{settings.REPLACE} is {value}"
    if name not in value.split(","):
        reason = "is not set" if not value else "does not name it"
        return False, f"{settings.REPLACE} {reason}; gamin exec sets it"
    if SITE not in environ.get("PYTHONPATH", "").split(os.pathsep):
        return False, f"PYTHONPATH has no {SITE}; gamin exec sets it"
    return True, f"{settings.REPLACE} names it"
