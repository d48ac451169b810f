"""The long random run: a real server, real clients, programs that do what they like.

    python -m soak [--operations N] [--minutes N] [--seed N] [--overflow N]
                   [--stop] [--kill] [--mounts] [--limits] [--greedy] [--stuck]
                   [--everything] [--no-flow]

`rounds` describes a round. Exit status 1 if a client believed something wrong, or the
server reported a bug.
"""

import argparse
import random
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from soak import footprint
from soak.rounds import Soak, start_server
from testkit.actions.mounts import enter_own_namespace
from testkit.limits import queue_limit
from testkit.watches import serving

MAX_SHOWN = 40
DISTURBING = {
    "stop": "stop the server at times",
    "kill": "kill the server at times",
    "mounts": "mount and unmount file systems, out of others' sight (needs root)",
    "limits": "let the server run out of descriptors and of memory at times",
    "greedy": "a client asks a lot and reads nothing at times",
    "stuck": "a mounted file system does not answer at times (needs root, bindfs)",
}
OVERFLOW = 64
"""Events in the kernel's queue with `--everything`."""
NO_FLOW = """\
flow reports_per_second 1000000
flow churn_per_second 1000000
flow raw_events_per_second 1000000
"""


def main() -> int:
    options = _options()
    session = f"soak-{uuid.uuid4()}"
    if options.mounts or options.stuck:
        enter_own_namespace()
    with tempfile.TemporaryDirectory(prefix="gamin-soak-") as place:
        soak = Soak(options, Path(place))
        with serving(session), pytest.MonkeyPatch.context() as environment:
            environment.setenv("GAMIN_DEBUG_SERVER", str(soak.server))
            environment.setenv("XDG_STATE_HOME", place)
            if options.no_flow:
                (Path(place) / ".gaminrc").write_text(NO_FLOW)
                environment.setenv("HOME", place)
            with queue_limit(options.overflow):
                start_server()
            try:
                soak.run()
            finally:
                soak.unmount_all()
    for line in summary(soak, options):
        sys.stdout.write(line + "\n")
    return 1 if soak.report.wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak")
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument(
        "--overflow", type=int, help="events the kernel's queue holds (needs root)"
    )
    parser.add_argument("--no-flow", action="store_true", help="nothing is ever busy")
    for name, text in DISTURBING.items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    parser.add_argument("--everything", action="store_true", help="all of these")
    options = parser.parse_args()
    if options.everything:
        options.everything = False  # so that it is not repeated beside what it means
        options.overflow = options.overflow or OVERFLOW
        for name in DISTURBING:
            setattr(options, name, True)
    return options


def summary(soak: Soak, options: argparse.Namespace) -> Iterator[str]:
    report = soak.report
    yield f"seed {options.seed}: {report.operations} operations"
    for what, count in report.rounds.items():
        yield f"  {count} rounds where {what.value}"
    yield f"  {report.overflows} overflows, {report.rescans} rescans"
    yield f"  right at most {report.longest:.2f} s after the last operation"
    if report.complaints:
        yield f"  {report.complaints} lines in the log of a server at its limits"
    yield f"  {footprint.summary(report.footprints)}"
    for follower in soak.followers:
        yield f"  {follower.name}: {follower.summary()}"
    yield f"  {len(report.wrong)} wrong"
    yield from (f"    {each}" for each in report.wrong[:MAX_SHOWN])
    if report.wrong:
        yield f"  to repeat: {_command(options)}"


def _command(options: argparse.Namespace) -> str:
    """The command that repeats this run: its options, with the seed. The seed does not
    decide the timing."""
    words = ["python -m soak"]
    for name, value in vars(options).items():
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(option)
        elif value is not None and value is not False:
            words.append(f"{option} {value}")
    return " ".join(words)


if __name__ == "__main__":
    sys.exit(main())
