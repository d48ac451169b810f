"""One file that never rests."""

from bench.build import generate
from bench.peers.base import Peer
from bench.results import Column, Unit, Value
from bench.session import session
from bench.work.base import Place, Work, under_load
from bench.work.size import Size

COLUMNS = (
    Column("cpu", "CPU", Unit.SECONDS, ratio=True),
    Column("share", "of one core", Unit.TEXT),
    Column("events", "events", Unit.COUNT),
    Column("behind", "done after", Unit.SECONDS),
    Column("loss", "loss", Unit.TEXT),
)


def hammer(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    (root / "log").touch()
    (root / "quiet").touch()
    rate, seconds = place.size.appends
    with session(place.path) as watching:
        watcher = watching.watch(peer, root, flat=True)
        values = under_load(
            watching, watcher, lambda: generate("hammer", root / "log", rate, seconds)
        )
    return values | {"share": f"{100 * float(values['cpu']) / seconds:.1f} %"}


def _about(size: Size) -> str:
    rate, seconds = size.appends
    return f"{rate:,} appends a second to one file, for {seconds} s."


HAMMER = Work("hammer", "One hammered file", _about, COLUMNS, hammer)
