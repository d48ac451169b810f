"""What one tree sends, where its position is, and how it ends."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import gamin
from gamin.events import Kind
from gamin.fleet import tree_publisher as module
from gamin.fleet.connection import FleetError
from gamin.fleet.contents import MAX_GENERATIONS
from gamin.fleet.message import Content, FleetEvent, Place, decode, encode
from gamin.fleet.position import Position
from gamin.fleet.sequence import Number
from gamin.fleet.settings import Publication, PublishedTree, Servers
from gamin.fleet.tree_publisher import Sent, TreePublisher, TreeRefused
from gamin.protocol.watchman.client.belief import Belief
from gamin.system.generation import Generations

PLACE = Place("web1", "data")
TREE = PublishedTree("/srv/data", "data")
PUBLICATION = Publication(Servers(("nats://localhost",)), "GAMIN", "web1", (TREE,))


def tree_publisher(stop: asyncio.Event) -> TreePublisher:
    def now() -> datetime:
        return datetime.now(UTC)

    return TreePublisher(PUBLICATION, TREE, stop, now, lambda: None)


class Ended:
    """A watch that the server has ended."""

    clock = "c:1:2:3:4"
    closed = True

    async def __aenter__(self) -> "Ended":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def next(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  # as `AsyncWatch.next`
        return None


async def changes(
    stop: asyncio.Event,
    since: str | None = "c:1:2:3:4",
    beyond: Sequence[FleetEvent] = (),
) -> list[str]:
    found = tree_publisher(stop)._changes(since, beyond)
    return [piece.clock async for piece in found]


def test_a_watch_that_the_server_ends_is_an_error_and_no_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gamin, "awatch", lambda *_, **__: Ended())
    with pytest.raises(FleetError, match="/srv/data: the server ended the watch"):
        asyncio.run(changes(asyncio.Event()))


def test_a_publisher_that_is_stopped_ends_without_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gamin, "awatch", lambda *_, **__: Ended())
    stop = asyncio.Event()
    stop.set()
    assert asyncio.run(changes(stop)) == []


def changes_until_stopped(since: str | None, beyond: list[FleetEvent]) -> list[str]:
    """With a real watch, which ends before it has found a server."""
    stop = asyncio.Event()
    stop.set()
    return asyncio.run(changes(stop, since, beyond))


def test_a_stop_while_the_first_watch_is_opened_lists_no_tree() -> None:
    """The listing would be empty, and the tree would never be listed again."""
    assert changes_until_stopped(None, []) == []


def test_a_stop_while_the_watch_is_opened_states_nothing_again() -> None:
    """Everything would be stated as deleted."""
    assert changes_until_stopped("c:1:2:3:4", [stored("created", "there")]) == []


def test_a_stop_while_what_was_received_is_sent_ends_it_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop = asyncio.Event()
    watch = Stopped(received=5, stop=stop)
    monkeypatch.setattr(gamin, "awatch", lambda *_, **__: watch)
    monkeypatch.setattr(module, "has_unyielded", lambda watch: watch.left > 0)
    beyond = [stored("created", "there")]
    assert asyncio.run(changes(stop, beyond=beyond)) == [watch.clock]
    assert watch.left == 4


def test_a_tree_that_cannot_be_watched_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise gamin.WatchRefused("too many patterns")

    monkeypatch.setattr(gamin, "awatch", refuse)
    with pytest.raises(TreeRefused, match="/srv/data: too many patterns"):
        asyncio.run(changes(asyncio.Event()))


class Saved:
    """Keeps every position that was written."""

    def __init__(self) -> None:
        self.written: list[Position] = []

    async def write(self, position: Position) -> None:
        self.written.append(position)


def test_the_position_is_written_seldom_and_at_the_end() -> None:
    async def acknowledge() -> list[Position]:
        saved: Any = Saved()
        sent: asyncio.Queue[Sent | None] = asyncio.Queue()
        follow = asyncio.create_task(
            tree_publisher(asyncio.Event())._follow_acknowledgements(sent, saved)
        )
        for number in range(100):
            stored: asyncio.Future[int] = asyncio.Future()
            stored.set_result(1)
            sent.put_nowait(Sent(stored, 1, f"c:1:2:3:{number}"))
            await asyncio.sleep(0)  # each comes by itself
        sent.put_nowait(None)
        await follow
        written: list[Position] = saved.written
        return written

    written = asyncio.run(acknowledge())
    assert len(written) < 5
    assert written[-1].clock == "c:1:2:3:99"


def test_a_position_that_is_due_is_written_under_unbroken_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "POSITION_SECONDS", 0.0)

    async def acknowledge() -> list[Position]:
        saved: Any = Saved()
        sent: asyncio.Queue[Sent | None] = asyncio.Queue()
        for number in range(10):
            stored: asyncio.Future[int] = asyncio.Future()
            stored.set_result(number)
            sent.put_nowait(Sent(stored, 1, f"c:1:2:3:{number}"))
        sent.put_nowait(None)
        await tree_publisher(asyncio.Event())._follow_acknowledgements(sent, saved)
        written: list[Position] = saved.written
        return written

    assert len(asyncio.run(acknowledge())) == 10


def test_the_position_is_that_of_the_last_batch_that_is_stored() -> None:
    async def acknowledge() -> tuple[str, str]:
        saved: Any = Saved()
        made = tree_publisher(asyncio.Event())
        sent: asyncio.Queue[Sent | None] = asyncio.Queue()
        follow = asyncio.create_task(made._follow_acknowledgements(sent, saved))
        stored = asyncio.Future[int]()
        sent.put_nowait(Sent(stored, 3, "c:1:2:3:1"))
        sent.put_nowait(None)
        await asyncio.wait([follow], timeout=0.01)
        before = str(made.summary()["position"])
        stored.set_result(1)
        await follow
        return before, str(made.summary()["position"])

    assert asyncio.run(acknowledge()) == ("", "c:1:2:3:1")


def test_a_message_that_the_stream_refuses_moves_no_position() -> None:
    async def acknowledge() -> None:
        saved: Any = Saved()
        sent: asyncio.Queue[Sent | None] = asyncio.Queue()
        stored = asyncio.Future[int]()
        stored.set_exception(FleetError("maximum bytes exceeded"))
        sent.put_nowait(Sent(stored, 2, "c:1:2:3:1"))
        made = tree_publisher(asyncio.Event())
        try:
            await made._follow_acknowledgements(sent, saved)
        finally:
            assert made.summary()["position"] == ""

    with pytest.raises(FleetError, match="maximum bytes exceeded"):
        asyncio.run(acknowledge())


class Loaded:
    """A watch that had received some batches when it was entered, and receives another
    one whenever it is asked: the tree never rests."""

    clock = "c:1:2:3:9"
    closed = False

    def __init__(self, received: int) -> None:
        self.left = received
        self._names = iter(range(1000))

    async def __aenter__(self) -> "Loaded":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def next(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109  # as `AsyncWatch.next`
        self.left = max(0, self.left - 1)
        return [gamin.Event(Kind.CREATED, f"/srv/data/new-{next(self._names)}")]


@pytest.mark.parametrize(
    ("changed", "has_generations"),
    [(MAX_GENERATIONS, True), (MAX_GENERATIONS + 1, False)],
)
def test_generations_are_asked_for_by_the_size_of_the_whole_batch(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    changed: int,
    has_generations: bool,
) -> None:
    """Not by that of the piece which is examined: the last one may be a small one."""
    monkeypatch.setattr(module, "CHANGES_PER_PIECE", MAX_GENERATIONS)
    monkeypatch.setattr(Generations, "of", lambda *_: 7)
    (tmp_path / "file").touch()
    batch = [gamin.Event(Kind.CREATED, f"{tmp_path}/file")] * changed

    async def examined() -> list[Content]:
        pieces = tree_publisher(asyncio.Event())._pieces(batch, f"{tmp_path}/", "c")
        return [content async for piece in pieces for content in piece.contents]

    contents = asyncio.run(examined())
    found = [each.status.generation for each in contents if each.status]
    assert found == [7 if has_generations else None] * changed


class Stopped(Loaded):
    """A watch that is stopped after its first batch: what it has received stays."""

    def __init__(self, received: int, stop: asyncio.Event) -> None:
        super().__init__(received)
        self._stop = stop
        self._asked = 0

    async def next(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109  # as `AsyncWatch.next`
        self._asked += 1
        assert self._asked < 10, "it is asked again and again"
        if self._stop.is_set():
            self.closed = True
            return None
        self._stop.set()
        return await super().next(timeout)


@pytest.mark.parametrize("received", [0, 1, 3])
def test_what_is_beyond_the_position_is_stated_again_under_unbroken_load(
    monkeypatch: pytest.MonkeyPatch, received: int
) -> None:
    """And no position is past these messages before that."""
    watch = Loaded(received)
    monkeypatch.setattr(gamin, "awatch", lambda *_, **__: watch)
    monkeypatch.setattr(module, "has_unyielded", lambda watch: watch.left > 0)
    monkeypatch.setattr(module, "belief_of", lambda *_: Belief())
    beyond = [stored("created", "gone")]
    stop = asyncio.Event()

    async def read() -> list[tuple[str, str, bool]]:
        found: list[tuple[str, str, bool]] = []
        async for piece in tree_publisher(stop)._changes("c:1:2:3:4", beyond):
            (content,) = piece.contents
            found.append((content.kind, content.path, piece.is_last))
            if len(found) == received + 2:
                return found
        return found

    assert asyncio.run(read()) == [
        *(("created", f"new-{number}", False) for number in range(received)),
        ("deleted", "gone", True),
        ("created", f"new-{received}", True),
    ]


def stored(kind: str, path: str) -> FleetEvent:
    number = Number("e", 0)
    body = encode(
        *(PLACE, Content(kind, path)),
        number=number,
        clock="c:1:2:3:5",
        time="",
        labels={},
    )
    return decode(PLACE.subject(kind), body)
