import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.client.session import (
    FIGURES,
    ClientSession,
    Message,
    Reply,
)
from gamin.protocol.watchman.codec.framing import REQUEST_LIMIT, encode
from gamin.protocol.watchman.requests import WatchProject
from testkit.rows import NOW
from testkit.watchman_wire import read_request


def test_a_request_is_understood_by_the_server() -> None:
    line = ClientSession().request("watch-project", "/a\udcff")
    assert read_request(line) == WatchProject(b"/a\xff")


def test_replies_belong_to_requests_in_their_order() -> None:
    session = ClientSession()
    session.request("get-pid")
    session.request("clock", "/a")
    pid, clock = replies.get_pid(7), replies.clock(NOW.clock(1))
    assert session.received(encode(pid) + encode(clock)) == [
        Reply(("get-pid",), pid),
        Reply(("clock", "/a"), clock),
    ]


def test_messages_come_in_between() -> None:
    session = ClientSession()
    session.request("get-pid")
    message = replies.canceled("n", b"/a")
    reply = replies.get_pid(7)
    assert session.received(encode(message) + encode(reply)) == [
        Message("n", json.loads(encode(message))),
        Reply(("get-pid",), reply),
    ]


def test_figures_are_a_message_of_no_subscription() -> None:
    session = ClientSession()
    session.request("gamin-figures", 1)
    reply, figures = replies.figures_interval(1), replies.figures({"pid": 7})
    assert session.received(encode(figures) + encode(reply)) == [
        Message(FIGURES, figures),
        Reply(("gamin-figures", 1), reply),
    ]


def test_an_error_is_a_reply_too() -> None:
    session = ClientSession()
    session.request("foo")
    (reply,) = session.received(encode(replies.error("unknown command foo")))
    assert isinstance(reply, Reply)
    assert reply.error == "unknown command foo"


def test_a_reply_may_be_longer_than_any_request() -> None:
    session = ClientSession()
    session.request("query")
    (reply,) = session.received(encode({"files": ["x" * REQUEST_LIMIT]}))
    assert isinstance(reply, Reply)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"nonsense\n", id="no JSON"),
        pytest.param(b"[1]\n", id="no object"),
        pytest.param(b"{}\n", id="a reply that nobody asked for"),
        pytest.param(b"\0\1\2", id="binary"),
    ],
)
def test_the_client_disconnects_from_a_server_of_another_language(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        ClientSession().received(line)


@given(st.binary())
def test_any_bytes_are_understood_or_the_end(data: bytes) -> None:
    session = ClientSession()
    session.request("version")
    with contextlib.suppress(RemoteProtocolError):
        session.received(data)
