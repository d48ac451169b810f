"""`gamin status`: validates the report of the session's server and shows it."""

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
    """Subscriptions that the client is still to get something of."""
    requests: int = 0
    """Requests that wait, the one being carried out included."""
    bytes_in: int = 0
    """Bytes of these, and of one that is not complete yet."""
    bytes_out: int = 0
    """Bytes that the client has not taken."""
    terms: int = 0
    """Terms and patterns of its subscriptions."""


class Watches(msgspec.Struct, frozen=True):
    kernel: int
    polled: int
    busy: int
    missing: int
    no_room: int
    """Polled because the kernel has no watch left."""
    unreadable: int
    unlisted: int = 0
    """Could not be listed yet; the server tries again every second."""


class Limits(msgspec.Struct, frozen=True):
    max_user_watches: int
    max_user_instances: int


class Facility(msgspec.Struct, frozen=True):
    """A kernel interface with a quota of watches per user."""

    used_by_us: int
    most_used_by_us: int
    """The most that the server takes; the rest is for the user's other programs."""


class Recoveries(msgspec.Struct, frozen=True):
    overflows: int
    rescans: int
    rescanning: bool = False
    """One of the rescans is not over."""


class StalledMount(msgspec.Struct, frozen=True):
    """A mount that does not answer: nothing on it is reported until it does."""

    mount: str
    type: str
    seconds: float
    """Seconds since it last answered."""
    reason: str


class BusyPath(msgspec.Struct, frozen=True):
    """What changes all the time and is reported once per interval."""

    path: str
    polled: bool


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
    roots: int = 0
    """Trees that clients of the Watchman language watch."""
    state_bytes: int = 0
    """What is remembered across restarts takes so much on the disk."""
    held_bytes: int = 0
    """What the server holds for all clients: requests and answers that wait."""
    stalled: list[StalledMount] = []
    polled_for: dict[str, int] = {}
    """Directories that are polled only for a reason that may pass, by reason."""
    busy_paths: list[BusyPath] = []
    """The busiest of what is reported once per interval."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Show the server of the session (GAM_CLIENT_ID), its clients, its watches\n"
        "and the limits that apply to it. Never starts a server."
    )
    parser.epilog = (
        "examples:\n"
        "  gamin status\n"
        "  GAM_CLIENT_ID=other gamin status --json | jq .watches\n"
        "\n"
        "exit status: 0, 1 no server is running or it failed, 64 wrong usage"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    with dial() as connection:
        reply = connection.ask(QUESTION).get("status")
    report = read(reply)
    for line in [json.dumps(reply)] if args.json else as_text(report):
        print(line)
    return 0


def read(reply: Any) -> Report:
    """Validate a report. Raises NoReply if `reply` is none."""
    try:
        return msgspec.convert(reply, Report)
    except msgspec.ValidationError as error:
        raise NoReply(QUESTION, f"not a report ({error})") from None


def as_text(report: Report) -> Iterator[str]:
    yield (
        f"gamin {printable(report.version)}, process {report.pid}, "
        f"up {duration(report.uptime)}"
    )
    yield _line("session", printable(report.session) or "(default)")
    for number, address in enumerate(report.addresses):
        yield _line("" if number else "addresses", printable(address))
    yield _line("clock", printable(str(report.clock)))
    if report.roots:
        yield _line("trees", f"{report.roots:,}")
    if report.state_bytes:
        yield _line("state", f"{report.state_bytes:,} bytes remembered")
    yield _line("watches", ", ".join(_watches(report.watches)))
    for name, held in report.facilities.items():
        yield _line(
            printable(name),
            f"{held.used_by_us:,} of {held.most_used_by_us:,} watches used",
        )
    yield _line(
        "limits",
        f"this user may have {report.limits.max_user_watches:,} inotify watches and "
        f"{report.limits.max_user_instances:,} instances",
    )
    lost = report.recoveries
    yield _line(
        "losses",
        f"{lost.overflows:,} overflows, {lost.rescans:,} rescans"
        if lost.overflows or lost.rescans
        else "none",
    )
    for number, mount in enumerate(report.stalled):
        yield _line("" if number else "stalled", _stalled(mount))
    waiting = f", {size(report.held_bytes)} wait" if report.held_bytes else ""
    yield _line("clients", f"{len(report.clients):,}{waiting}")
    if report.clients:
        yield from _client_table(report.clients)


def _line(name: str, text: str) -> str:
    return f"{name:<11} {text}"


def _stalled(mount: StalledMount) -> str:
    return (
        f"{printable(mount.mount)} ({printable(mount.type)}) for "
        f"{duration(mount.seconds)}: {printable(mount.reason)}"
    )


def _watches(watches: Watches) -> Iterator[str]:
    """How directories are watched, without what does not occur."""
    yield f"{watches.kernel:,} by the kernel"
    for number, name in (
        (watches.polled, "polled"),
        (watches.busy, "busy paths reported once a second"),
        (watches.missing, "paths that do not exist yet"),
        (watches.no_room, "polled because no watch is left (see gamin doctor)"),
        (watches.unreadable, "unreadable"),
        (watches.unlisted, "not listed yet (no descriptor or memory left)"),
    ):
        if number:
            yield f"{number:,} {name}"


def _client_table(clients: list[Client]) -> Iterator[str]:
    """What each client holds of the server: its account."""
    yield _client_row(
        "PID",
        "LANGUAGE",
        ("SUBSCRIPTIONS", "TERMS", "BACKLOG", "REQUESTS", "IN", "OUT"),
        "PROGRAM",
    )
    for client in clients:
        counts = (client.subscriptions, client.terms, client.backlog, client.requests)
        sizes = (client.bytes_in, client.bytes_out)
        yield _client_row(
            str(client.pid),
            printable(client.language),
            (*map(str, counts), *map(size, sizes)),
            printable(client.program),
        )


def _client_row(pid: str, language: str, account: tuple[str, ...], program: str) -> str:
    widths = (13, 5, 7, 8, 8, 8)
    cells = [f"{text:>{width}}" for text, width in zip(account, widths, strict=True)]
    return "  ".join((f"{pid:>10}", f"{language:<8}", *cells, program))


def size(count: int) -> str:
    """Bytes, with a unit that keeps it short."""
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} B" if count else "0"


def duration(seconds: float) -> str:
    """A duration as its two largest units, starting with the first that is not 0."""
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
