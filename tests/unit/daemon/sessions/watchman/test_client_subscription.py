"""Deliveries as the messages of a client."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from gamin.daemon.sessions.watchman.client_subscription import ClientSubscription
from gamin.daemon.sessions.watchman.delivery import Delivery, EventRows, Listing
from gamin.daemon.sessions.watchman.states import StateChange
from gamin.events import Kind, Row
from gamin.protocol.watchman.codec.bser import decode_value, read_int
from gamin.protocol.watchman.codec.bser_codec import BserCodec
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.compact import decode_message
from gamin.protocol.watchman.codec.json_codec import JSON
from testkit.rows import NOW

CLOCK = NOW.clock(7)


class Wire:
    """A connection that keeps what it sends."""

    is_blocked = False

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def send_pieces(self, pieces: Sequence[bytes]) -> None:
        self.send(b"".join(pieces))

    def flush(self) -> None:
        """Nothing waits."""

    def message(self) -> Any:
        (data,) = self.sent
        if self.codec is JSON:
            return json.loads(data)
        header = read_int(data, 2)
        assert header is not None
        return decode_value(data[header[1] :])


@pytest.fixture(params=[JSON, BserCodec()], ids=["JSON", "BSER"])
def wire(request: pytest.FixtureRequest) -> Wire:
    return Wire(request.param)


def rows(*, is_compact: bool) -> EventRows:
    made = [Row(Kind.CREATED, b"/r/f", False)]
    return EventRows(made, len(b"/r/"), is_compact=is_compact)


def test_a_delivery_is_a_message_with_its_rows(wire: Wire) -> None:
    delivery = Delivery(b"/r", rows(is_compact=False), CLOCK, since=NOW.clock(6))
    ClientSubscription(wire, "s").deliver(delivery)
    message = wire.message()
    assert (message["subscription"], message["root"]) == ("s", "/r")
    assert (message["clock"], message["since"]) == (str(CLOCK), str(NOW.clock(6)))
    assert [row["name"] for row in message["files"]] == ["f"]
    assert message["unilateral"]


def test_a_brief_delivery_has_nothing_to_spare(wire: Wire) -> None:
    delivery = Delivery(
        b"/r", rows(is_compact=True), CLOCK, is_brief=True, complete_until_ns=9
    )
    ClientSubscription(wire, "s").deliver(delivery)
    assert wire.message() == {
        "subscription": "s",
        "clock": str(CLOCK),
        "complete_until_ns": 9,
        "rows": "cf",
    }


def test_our_own_client_reads_a_brief_delivery_in_one_step() -> None:
    wire = Wire(JSON)
    delivery = Delivery(b"/r", rows(is_compact=True), CLOCK, is_brief=True)
    ClientSubscription(wire, "s").deliver(delivery)
    assert decode_message(wire.sent[0]) is not None


@pytest.mark.parametrize(
    ("listing", "members"),
    [
        (Listing([(b"", b"a/b")], is_file=False), {"names": "//a/b"}),
        (Listing(None, is_file=False), {"names": None}),
        (Listing([], is_file=True), {"names": "", "is_file": True}),
    ],
)
def test_a_listing_goes_with_the_rows(
    wire: Wire, listing: Listing, members: dict[str, Any]
) -> None:
    empty = EventRows([], 0, is_compact=True)
    delivery = Delivery(b"/r", empty, CLOCK, is_fresh=True, listing=listing)
    ClientSubscription(wire, "s").deliver(delivery)
    message = wire.message()
    assert message["is_fresh_instance"]
    assert message["rows"] == ""
    assert {key: message[key] for key in members} == members


def test_the_end_of_a_subscription_is_a_message(wire: Wire) -> None:
    ClientSubscription(wire, "s").canceled(b"/r")
    assert wire.message()["canceled"]


def test_a_state_is_a_message(wire: Wire) -> None:
    change = StateChange("busy", False, {"why": 1}, is_abandoned=True)
    ClientSubscription(wire, "s").state_changed(b"/r", CLOCK, change)
    message = wire.message()
    assert message["state-leave"] == "busy"
    assert message["metadata"] == {"why": 1}
    assert message["abandoned"]


def test_a_client_may_change_its_encoding(wire: Wire) -> None:
    subscription = ClientSubscription(wire, "s")
    delivery = Delivery(b"/r", rows(is_compact=True), CLOCK, is_brief=True)
    subscription.deliver(delivery)
    wire.codec = BserCodec()
    wire.sent.clear()
    subscription.deliver(delivery)
    assert wire.message()["subscription"] == "s"
