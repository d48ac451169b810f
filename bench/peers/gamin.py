"""Our own clients: the Python API, the command line, the libgamin client."""

from collections.abc import Iterator

from bench.belief import Report, ReportKind
from bench.peers.base import PROGRAMS, Interpreted, Peer, Request, first_line, within

COMMAND = str(PROGRAMS / "gamin")

KINDS = {
    b"created": ReportKind.CREATED,
    b"exists": ReportKind.CREATED,
    b"changed": ReportKind.CHANGED,
    b"deleted": ReportKind.DELETED,
    b"moved": ReportKind.MOVED,
}


class Gamin(Interpreted):
    name = "gamin"
    about = "`gamin.watch()` and its server, started for it"
    package = "gamin"
    client = "gamin_client"
    has_server = True

    def version(self) -> str:
        return first_line(COMMAND, "--version")

    def help(self) -> list[str]:
        return [COMMAND, "--help"]


class GaminV1(Interpreted):
    name = "gamin-v1"
    about = "`gamin.client.blocking.Client` on one directory, and the server"
    package = "gamin"
    client = "gamin_v1_client"
    has_server = True


class GaminWatch(Peer):
    name = "gamin-watch"
    about = "the command `gamin watch`, and the server"
    has_server = True

    def missing(self) -> str:
        return Gamin().missing()

    def help(self) -> list[str]:
        return [COMMAND, "watch", "--help"]

    def command(self, request: Request) -> list[str]:
        recursive = [] if request.flat else ["-r"]
        return [COMMAND, "watch", "--no-vcs-ignore", *recursive, str(request.root)]

    def is_ready(self, output: bytes, errors: bytes) -> bool:
        return any(line.startswith(b"Watching") for line in errors.splitlines())

    def parse(self, output: bytes, root: bytes) -> Iterator[Report]:
        for line in output.splitlines():
            kind, path, *dest = line.split(b"\t")
            yield Report(KINDS[kind], within(path, root), within(b"".join(dest), root))

    def detected_loss(self, errors: bytes) -> bool:
        return b"recover" in errors.lower()
