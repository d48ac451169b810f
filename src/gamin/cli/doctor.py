"""`gamin doctor`: checks what keeps file watching from working, and says what to do."""

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gamin.cli.finding import Finding, Level, as_text, note, problem
from gamin.paths import printable
from gamin.system.inotify_usage import Holder, holders

MAX_SHOWN = 10
"""Processes in the table of those that hold watches."""

PROBLEMS = 1
"""Exit status if there is a problem."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Check limits, mounts, sockets and the server of the session (GAM_CLIENT_ID).\n"
        "Each finding says what is wrong, what follows from it and how to repair it.\n"
        "Changes nothing and starts no server."
    )
    parser.epilog = (
        "examples:\n"
        "  gamin doctor\n"
        "  gamin doctor --json | jq '.findings[] | select(.level == \"problem\")'\n"
        "\n"
        "exit status: 0 no problem, 1 problems, 64 wrong usage"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    held = holders(os.getuid())
    findings = list(findings_for(held))
    if args.json:
        print(json.dumps(as_object(findings, held)))
    else:
        for line in report(findings, held):
            print(line)
    has_problem = any(finding.level is Level.PROBLEM for finding in findings)
    return PROBLEMS if has_problem else 0


def findings_for(
    held: Sequence[Holder], environ: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    yield from _limits(held)
    yield from _configuration()
    yield from _session(held, environ)


def _limits(held: Sequence[Holder]) -> Iterator[Finding]:
    from gamin.cli import check_limits
    from gamin.system.inotify import limit

    try:
        watches = limit("max_user_watches")
        instances = limit("max_user_instances")
        queue = limit("max_queued_events")
    except (OSError, ValueError) as error:
        yield note("limits", f"they cannot be read: {error}")
        return
    yield check_limits.check_watches(held, watches)
    yield check_limits.check_instances(held, instances)
    yield check_limits.check_quota(held, watches)
    yield from check_limits.check_limits(watches, queue)


def _configuration() -> Iterator[Finding]:
    from gamin.cli import check_mounts
    from gamin.config import loader
    from gamin.config.policy import Policy

    read = loader.read()
    for mistake in read.mistakes:
        yield problem(
            "configuration",
            str(mistake),
            "the line is not followed",
            "correct or remove it; `gamin config` shows the rules in force",
        )
    mounts = loader.read_mounts()
    yield from check_mounts.check_mounts(mounts, Policy(read.rules, mounts))
    yield from check_mounts.check_answers(mounts)


def _session(
    held: Sequence[Holder], environ: Mapping[str, str] | None
) -> Iterator[Finding]:
    from gamin.cli import check_ignored, check_session
    from gamin.cli.control import NotRunning, dial, find_address
    from gamin.cli.status import QUESTION, Report, read
    from gamin.errors import GaminError

    try:
        address = find_address(environ)
    except GaminError as error:
        yield problem("settings", str(error), "no program finds a server", "unset it")
        return
    report: Report | None = None
    roots: list[str] = []
    failure = ""
    try:
        with dial(environ, timeout=0.5) as connection:
            report = read(connection.ask(QUESTION).get("status"))
            roots = watched_roots(connection.ask("debug-status"))
    except NotRunning:
        pass
    except GaminError as error:
        failure = str(error)
    yield check_session.check_server(report, failure, address)
    if report is not None:
        yield from check_session.check_coverage(report)
    pid = None if report is None else report.pid
    yield from check_ignored.check_ignored(held, roots, pid)
    yield from check_session.check_addresses(address)
    running = check_session.servers(address.uid)
    yield from check_session.check_single(running, address.session)


def watched_roots(reply: Mapping[str, Any]) -> list[str]:
    """The paths of the trees that the server watches."""
    roots = reply.get("roots", [])
    return [each["path"] for each in roots if isinstance(each.get("path"), str)]


def report(findings: Sequence[Finding], held: Sequence[Holder]) -> Iterator[str]:
    """Problems first, then notes, then what is in order, then the table."""
    for level in reversed(Level):
        for finding in findings:
            if finding.level is level:
                yield from as_text(finding)
    if held:
        yield ""
        yield from _table(held)


def _table(held: Sequence[Holder]) -> Iterator[str]:
    everything = sum(holder.watches for holder in held) or 1
    yield f"{'PID':>10}  {'INSTANCES':>9}  {'WATCHES':>9}  {'SHARE':>5}  PROGRAM"
    for holder in held[:MAX_SHOWN]:
        share = f"{100 * holder.watches / everything:.0f} %"
        yield (
            f"{holder.pid:>10}  {holder.instances:>9}  {holder.watches:>9}  "
            f"{share:>5}  {printable(holder.program)}"
        )
    rest = held[MAX_SHOWN:]
    if rest:
        instances = sum(holder.instances for holder in rest)
        watches = sum(holder.watches for holder in rest)
        share = f"{100 * watches / everything:.0f} %"
        yield (
            f"{'':>10}  {instances:>9}  {watches:>9}  {share:>5}  "
            f"({len(rest)} other processes)"
        )


def as_object(findings: Sequence[Finding], held: Sequence[Holder]) -> dict[str, object]:
    return {
        "findings": [finding._asdict() for finding in findings],
        "holders": [holder._asdict() for holder in held],
    }
