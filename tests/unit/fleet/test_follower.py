"""Where a follower begins, and which messages it lets through."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from gamin.fleet.connection import FleetError
from gamin.fleet.follower import Follower, follow, parse_since
from gamin.fleet.message import Content, Place, encode, timestamp
from gamin.fleet.sequence import REPEATED_SECONDS, Number, Numbering
from gamin.fleet.settings import BadSettings

PLACE = Place("web1", "data")
URL = "nats://localhost"


@dataclass
class Message:
    """As nats-py delivers one."""

    subject: str
    data: bytes
    position: int

    stored: float = 0.0

    @property
    def metadata(self) -> Any:
        return SimpleNamespace(
            sequence=SimpleNamespace(stream=self.position),
            timestamp=datetime.fromtimestamp(self.stored, UTC),
        )


def message(position: int, number: Number, path: str = "x") -> Message:
    body = encode(
        *(PLACE, Content("created", path)),
        number=number,
        clock="c:1:2:3:4",
        time=timestamp(datetime.now(UTC)),
        labels={},
    )
    return Message(PLACE.subject("created"), body, position)


@pytest.fixture
def follower() -> Follower:
    return follow(URL)


def positions(follower: Follower, *messages: Message) -> list[int]:
    found = follower._admitted(messages)  # type: ignore[arg-type]  # doubles
    return [event.stream_sequence for event in found]


def test_only_what_is_next_is_let_through(follower: Follower) -> None:
    numbering = Numbering()
    first, lost, third = (numbering.next() for _ in range(3))
    assert positions(follower, message(1, first), message(3, third)) == [1]
    numbering.start_epoch()
    again = [message(4, numbering.next()), message(5, numbering.next())]
    assert positions(follower, message(2, lost), *again) == [4, 5]


def test_what_was_delivered_before_is_left_out(follower: Follower) -> None:
    numbering = Numbering()
    first, second = message(1, numbering.next()), message(2, numbering.next())
    assert positions(follower, first, second, first) == [1, 2]
    assert follower.last_sequence == 2


def test_a_message_that_cannot_be_read_is_left_out_and_logged(
    follower: Follower, caplog: pytest.LogCaptureFixture
) -> None:
    number = Numbering().next()
    bad = Message("gamin.web1.data.created", b"no JSON", 1)
    assert positions(follower, bad, message(2, number)) == [2]
    assert "message 1 left out" in caplog.text


def test_what_came_from_elsewhere_is_logged_escaped(
    follower: Follower, caplog: pytest.LogCaptureFixture
) -> None:
    """Who may write to the stream must not reach the terminal of who reads it."""
    hostile = "web\x1b[2J\u202e"
    subject = f"gamin.{hostile}.data.created"
    numbering = Numbering()
    unreadable = Message(subject, b"no JSON", 1)
    known = message(2, numbering.next())
    numbering.next()
    early = message(3, numbering.next())
    known.subject = early.subject = subject
    assert positions(follower, unreadable, known, early) == [2]
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    for record in caplog.records:
        assert r"web\x1b[2J\u202e" in record.getMessage()
        assert record.getMessage().isprintable()


def test_the_error_of_a_server_is_logged_escaped(
    follower: Follower,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The text of an error comes from the server of NATS."""
    connected = nullcontext(SimpleNamespace(client=None))
    monkeypatch.setattr("gamin.fleet.connection.connected", lambda _: connected)
    monkeypatch.setattr("gamin.fleet.follower.FIRST_PAUSE_SECONDS", 0.0)
    answers: list[list[str] | FleetError] = [
        ["a batch"],
        FleetError("\x1b[2J\nno"),
        ["another"],
    ]

    async def batches_of(_: object) -> AsyncGenerator[Any, None]:
        while answers:
            answer = answers.pop(0)
            if isinstance(answer, FleetError):
                raise answer
            yield answer

    async def two() -> list[Any]:
        async with follower:
            return [await anext(follower), await anext(follower)]

    monkeypatch.setattr(follower, "_batches_of", batches_of)
    assert asyncio.run(two()) == [["a batch"], ["another"]]
    (record,) = caplog.records
    assert record.getMessage().startswith(r"\x1b[2J\nno; trying again")


@pytest.mark.parametrize(
    ("since", "policy", "start"),
    [
        (None, "new", None),
        ("all", "all", None),
        (42, "by_start_sequence", 42),
        (0, "by_start_sequence", 1),
    ],
)
def test_a_consumer_begins_where_it_is_told(
    since: int | str | None, policy: str, start: int | None
) -> None:
    config = follow(URL)._config_from(since)
    assert config.deliver_policy is not None
    assert config.deliver_policy.value == policy
    assert config.opt_start_seq == start


def test_a_consumer_without_a_name_goes_on_after_a_lost_connection(
    follower: Follower,
) -> None:
    positions(follower, message(17, Numbering().next()))
    config = asyncio.run(follower._config(None))  # type: ignore[arg-type]  # not asked
    assert config.opt_start_seq == 18


def test_what_the_stream_has_dropped_is_reported_as_missed(follower: Follower) -> None:
    numbering = Numbering()
    first, _dropped, third, fourth = (numbering.next() for _ in range(4))
    late = message(9, fourth)
    late.stored = REPEATED_SECONDS
    found = follower._admitted([message(1, first), message(8, third), late])  # type: ignore[list-item]  # doubles
    assert [(event.kind, event.stream_sequence) for event in found] == [
        *(("created", 1), ("missed", 0), ("created", 9)),
    ]
    assert not follower._gaps


def test_a_gap_at_the_end_of_the_stream_is_reported_when_it_is_not_closed(
    follower: Follower,
) -> None:
    numbering = Numbering()
    first, _dropped, third = (numbering.next() for _ in range(3))
    assert positions(follower, message(1, first), message(8, third)) == [1]
    (began,) = follower._gaps.values()
    assert not list(follower._abandoned(began + REPEATED_SECONDS / 2))
    (event,) = follower._abandoned(began + REPEATED_SECONDS)
    assert (event.host, event.tree, event.kind) == ("web1", "data", "missed")
    assert positions(follower, message(9, numbering.next())) == [9]


def test_a_beginning_is_a_position_a_time_or_all() -> None:
    assert parse_since("42") == 42
    assert parse_since("all") == "all"
    moment = parse_since("2026-01-02T03:04:05+00:00")
    assert moment == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    local = parse_since("2026-01-02")
    assert isinstance(local, datetime)
    assert local.tzinfo is not None
    with pytest.raises(ValueError, match="'soon' is no position"):
        parse_since("soon")


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(BadSettings, match="credentials file"):
        follow("nats://me:secret@localhost")
