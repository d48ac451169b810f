"""What is stated again of the paths of messages that a position does not cover."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.events import Kind
from gamin.fleet import beyond
from gamin.fleet.beyond import read_beyond, restated
from gamin.fleet.message import Content, FleetEvent, Place, decode, encode
from gamin.fleet.mirror import Mirror
from gamin.fleet.sequence import Number
from gamin.protocol.watchman.client.belief import Belief

PLACE = Place("web1", "data")


def event(content: Content) -> FleetEvent:
    subject = PLACE.subject(content.kind)
    return decode(subject, body(content, 0))


def body(content: Content, number: int) -> bytes:
    return encode(
        *(PLACE, content),
        number=Number("e", number),
        clock="c:1:2:3:4",
        time="",
        labels={},
    )


names = st.sampled_from(["a", "b", "a/a", "a/b", "b/a", "b/b", "a/a/a", "b/a/b"])
entries = st.dictionaries(names, st.booleans(), max_size=6)


def tree(of: dict[str, bool]) -> dict[str, bool]:
    """`of` with the parents that it needs; True for directories."""
    whole = dict(of)
    for path in of:
        while path := path.rpartition("/")[0]:
            whole[path] = True
    return dict(sorted(whole.items()))


def believed(paths: dict[str, bool]) -> Belief:
    belief = Belief({"": None})
    belief.apply([(Kind.CREATED, path, is_dir, None) for path, is_dir in paths.items()])
    return belief


def difference(before: dict[str, bool], now: dict[str, bool]) -> list[Content]:
    """The net one, as a server reports it."""
    gone = [p for p in before if p not in now or now[p] != before[p]]
    new = [p for p in now if p not in before or now[p] != before[p]]
    # What is in a directory that is a new one is new, too.
    below = [p for p in now if any(p.startswith(f"{n}/") for n in new if now[n])]
    return [
        *(Content(Kind.DELETED.value, p, is_dir=before[p]) for p in gone),
        *(Content(Kind.CREATED.value, p, is_dir=now[p]) for p in {*new, *below}),
    ]


def _order(content: Content) -> tuple[bool, str]:
    """Deletions first, and parents before their children."""
    return content.kind == "created", content.path


changes = st.one_of(
    st.builds(Content, st.just("created"), names, st.none(), st.booleans()),
    st.builds(Content, st.just("deleted"), names, st.none(), st.booleans()),
    st.builds(Content, st.just("moved"), names, names, st.booleans()),
)


@given(entries, entries, st.lists(changes, max_size=6))
def test_a_follower_with_any_messages_beyond_the_position_is_right_afterwards(
    before: dict[str, bool], now: dict[str, bool], sent: list[Content]
) -> None:
    before, now = tree(before), tree(now)
    mirror = Mirror()
    for content in (
        Content("resync"),
        Content("listing", entries=tuple(before.items())),
        Content("resynced"),
        *sent,
        *sorted(difference(before, now), key=_order),
        *restated([event(content) for content in sent], believed(now)),
    ):
        mirror.apply(event(content))
    assert set(mirror) == set(now)


def test_what_was_made_and_removed_since_the_position_is_removed() -> None:
    sent = [event(Content("created", "b/a"))]
    assert list(restated(sent, believed({"b": True}))) == [
        Content("deleted", "b/a", recovered=True)
    ]


def test_a_moved_directory_that_came_back_has_its_content_again() -> None:
    sent = [event(Content("moved", "a", "b", is_dir=True))]
    again = list(restated(sent, believed({"a": True, "a/x": False, "c": False})))
    assert again == [
        Content("deleted", "a", is_dir=True, recovered=True),
        Content("created", "a", is_dir=True, recovered=True),
        Content("created", "a/x", recovered=True),
        Content("deleted", "b", is_dir=True, recovered=True),
    ]


def test_changed_contents_are_part_of_the_difference_already() -> None:
    assert not list(restated([event(Content("changed", "a"))], believed({"a": False})))


class Context:
    """A stream with these messages of the tree after the position."""

    def __init__(self, messages: Sequence[Content | bytes], last: int) -> None:
        self._bodies = [
            SimpleNamespace(subject=PLACE.subject("changed"), data=content)
            if isinstance(content, bytes)
            else SimpleNamespace(
                subject=PLACE.subject(content.kind),
                data=body(content, number),
            )
            for number, content in enumerate(messages)
        ]
        self._last = last
        self._given = 0
        self.deleted: list[str] = []

    async def stream_info(self, name: str) -> Any:
        return SimpleNamespace(state=SimpleNamespace(last_seq=self._last))

    async def pull_subscribe(self, subject: str, stream: str, config: Any) -> "Context":
        assert subject == "gamin.web1.data.*"
        assert config.opt_start_seq == 8
        return self

    async def consumer_info(self) -> Any:
        return SimpleNamespace(name="reader", num_pending=len(self._bodies))

    async def fetch(self, count: int, seconds: float) -> list[Any]:
        found = self._bodies[self._given : self._given + count]
        self._given += len(found)
        return found

    async def unsubscribe(self) -> None: ...

    async def delete_consumer(self, stream: str, name: str) -> None:
        self.deleted.append(name)


def read(
    messages: Sequence[Content | bytes], last: int = 1000
) -> list[FleetEvent] | None:
    context: Any = Context(messages, last)
    found = asyncio.run(read_beyond(context, "GAMIN", PLACE, 7))
    assert context.deleted == ([] if last < 7 else ["reader"])
    return found


def test_all_messages_after_the_position_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(beyond, "FETCHED", 2)
    found = read([Content("created", name) for name in "abcde"])
    assert found is not None
    assert [each.path for each in found] == list("abcde")
    assert read([]) == []


def test_what_is_no_message_of_a_publisher_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(beyond, "FETCHED", 2)
    names = [Content("created", name) for name in "abc"]
    found = read([b"hello", names[0], b"{}", b"[]", *names[1:], b""])
    assert found is not None
    assert [each.path for each in found] == list("abc")
    assert read([b"hello"]) == []


@pytest.mark.parametrize(
    "messages",
    [
        [Content("created", "a"), Content("resync")],
        [Content("deleted", "", is_dir=True)],
        [Content("created", "a")] * (beyond.MAX_MESSAGES + 1),
    ],
    ids=["listing", "tree", "many"],
)
def test_what_cannot_be_stated_again_is_listed(messages: list[Content]) -> None:
    assert read(messages) is None


def test_a_stream_that_was_made_again_needs_a_listing() -> None:
    assert read([], last=6) is None
