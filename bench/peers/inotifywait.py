"""inotifywait of inotify-tools."""

from collections.abc import Iterator

from bench.belief import Report, ReportKind
from bench.peers.base import Peer, Request, first_line, within

EVENTS = "create,delete,move,modify,attrib"


class Inotifywait(Peer):
    name = "inotifywait"
    about = "`inotifywait -m -r`, the events that the others report"

    def version(self) -> str:
        return first_line("inotifywait", "--help")

    def help(self) -> list[str]:
        return ["inotifywait", "--help"]

    def command(self, request: Request) -> list[str]:
        recursive = [] if request.flat else ["-r"]
        form = ["--format", "%c %e %w%f"]
        return ["inotifywait", "-m", *recursive, "-e", EVENTS, *form, str(request.root)]

    def is_ready(self, output: bytes, errors: bytes) -> bool:
        return b"Watches established." in errors

    def parse(self, output: bytes, root: bytes) -> Iterator[Report]:
        away: tuple[bytes, bytes] | None = None  # cookie and path, half of a rename
        for line in output.splitlines():
            cookie, events, path = line.split(b" ", 2)
            path = within(path, root)
            if away and (b"MOVED_TO" not in events or cookie != away[0]):
                yield Report(ReportKind.DELETED, away[1])
                away = None
            if b"OVERFLOW" in events:
                yield Report(ReportKind.LOST)
            elif b"MOVED_FROM" in events:
                away = (cookie, path)
            elif b"MOVED_TO" in events and away:
                yield Report(ReportKind.MOVED, away[1], path)
                away = None
            elif b"CREATE" in events or b"MOVED_TO" in events:
                yield Report(ReportKind.CREATED, path)
            elif b"DELETE" in events:
                yield Report(ReportKind.DELETED, path)
            else:
                yield Report(ReportKind.CHANGED, path)
        if away:
            yield Report(ReportKind.DELETED, away[1])
