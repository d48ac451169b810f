"""fswatch with its inotify monitor.

It sleeps for its latency between two reads of a few dozen events each: at the default
of one second a storm would take it an hour, so it gets the least there is.
"""

from collections.abc import Iterator

from bench.belief import Report, ReportKind
from bench.peers.base import Peer, Request, first_line, within

KINDS = {
    b"Created": ReportKind.CREATED,
    b"MovedTo": ReportKind.CREATED,
    b"Removed": ReportKind.DELETED,
    b"MovedFrom": ReportKind.DELETED,
    b"Updated": ReportKind.CHANGED,
    b"AttributeModified": ReportKind.CHANGED,
    b"Overflow": ReportKind.LOST,
}


class Fswatch(Peer):
    name = "fswatch"
    about = "`fswatch -r -l 0.1 --allow-overflow`, the events that the others report"
    announces = False

    def version(self) -> str:
        return first_line("fswatch", "--version")

    def help(self) -> list[str]:
        return ["fswatch", "--help"]

    def command(self, request: Request) -> list[str]:
        recursive = [] if request.flat else ["-r"]
        events = [f"--event={flag.decode()}" for flag in KINDS]
        form = ["--event-flag-separator=,", "--format=%f %p"]
        options = ["--allow-overflow", "-l", "0.1", *recursive, *events, *form]
        return ["fswatch", *options, str(request.root)]

    def is_ready(self, output: bytes, errors: bytes) -> bool:
        return False  # it never says so

    def parse(self, output: bytes, root: bytes) -> Iterator[Report]:
        for line in output.splitlines():
            flags, _, path = line.partition(b" ")
            kinds = [KINDS[flag] for flag in flags.split(b",") if flag in KINDS]
            for each in dict.fromkeys(kinds):
                yield Report(each, within(path, root))
