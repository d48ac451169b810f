"""`gamin status`: what the server of the session does, for whom, at what cost.

The report is the server's; here it is checked and shown.
"""

import argparse
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from gamin.cli.control import NoReply, dial
from gamin.paths import printable

QUESTION = "gamin-status"


class Client(msgspec.Struct, frozen=True):
    pid: int
    program: str
    language: str
    subscriptions: int
    backlog: int


class Watches(msgspec.Struct, frozen=True):
    kernel: int
    polled: int
    busy: int
    missing: int
    no_room: int
    """Polled because the kernel had no watches left."""
    unreadable: int


class Limits(msgspec.Struct, frozen=True):
    max_user_watches: int
    max_user_instances: int


class Facility(msgspec.Struct, frozen=True):
    """A part of the kernel that has a quota of watches for each user."""

    used_by_us: int
    most_used_by_us: int
    """What the server leaves at; the rest is for other programs of the user."""


class Recoveries(msgspec.Struct, frozen=True):
    overflows: int
    rescans: int


class Report(msgspec.Struct, frozen=True):
    version: str
    pid: int
    uptime: float
    session: str
    addresses: list[str]
    clock: int | str
    clients: list[Client]
    watches: Watches
    limits: Limits
    facilities: dict[str, Facility]
    recoveries: Recoveries


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Show the server of the session (GAM_CLIENT_ID), its clients, its watches\n"
        "and the limits it lives under. Starts no server."
    )
    parser.epilog = (
        "exit status: 0, 1 no server is running or it failed, 64 wrong usage"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    with dial() as line:
        told = line.ask(QUESTION).get("status")
    report = read(told)
    for text in [json.dumps(told)] if args.json else as_text(report):
        print(text)
    return 0


def read(told: Any) -> Report:
    """Raises NoReply if that is no report."""
    try:
        return msgspec.convert(told, Report)
    except msgspec.ValidationError as error:
        raise NoReply(QUESTION, f"not a report ({error})") from None


def as_text(report: Report) -> Iterator[str]:
    watches, limits, lost = report.watches, report.limits, report.recoveries
    yield f"gamin {printable(report.version)}, process {report.pid}"
    yield f"session     {printable(report.session) or '(default)'}"
    yield f"up          {duration(report.uptime)}"
    for address in report.addresses:
        yield f"address     {printable(address)}"
    yield f"clock       {printable(str(report.clock))}"
    yield (
        f"watches     {watches.kernel} kernel, {watches.polled} polled, "
        f"{watches.busy} busy, {watches.missing} missing, "
        f"{watches.no_room} without room, {watches.unreadable} unreadable"
    )
    for name, held in report.facilities.items():
        yield (
            f"{printable(name):<11} {held.used_by_us} of {held.most_used_by_us} "
            "watches used"
        )
    yield (
        f"limits      this user may have {limits.max_user_watches} inotify watches and "
        f"{limits.max_user_instances} instances"
    )
    yield f"recoveries  {lost.overflows} overflows, {lost.rescans} rescans"
    yield f"clients     {len(report.clients)}"
    if report.clients:
        yield from _client_table(report.clients)


def _client_table(clients: list[Client]) -> Iterator[str]:
    yield _client_row("PID", "LANGUAGE", "SUBSCRIPTIONS", "BACKLOG", "PROGRAM")
    for client in clients:
        yield _client_row(
            client.pid,
            printable(client.language),
            client.subscriptions,
            client.backlog,
            printable(client.program),
        )


def _client_row(
    pid: int | str,
    language: str,
    subscriptions: int | str,
    backlog: int | str,
    program: str,
) -> str:
    return f"{pid:>10}  {language:<8}  {subscriptions:>13}  {backlog:>7}  {program}"


def duration(seconds: float) -> str:
    """The two largest units that are not zero at the front."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {rest} s"
    return f"{rest} s"
