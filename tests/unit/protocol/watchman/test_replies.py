import json
from typing import Any

import pytest

from gamin.protocol.watchman import replies
from gamin.protocol.watchman.codec.framing import encode
from gamin.protocol.watchman.requests import GetVersion
from gamin.protocol.watchman.version import VERSION
from testkit.rows import NOW

CLOCK = NOW.clock(7)
TEXT = "c:1700000000:42:3:7"


@pytest.mark.parametrize(
    ("reply", "members"),
    [
        (replies.error("no"), {"error": "no"}),
        (replies.version(GetVersion(), "0.2.0"), {"buildinfo": "gamin 0.2.0"}),
        (replies.get_pid(7), {"pid": 7}),
        (replies.get_sockname(b"/s"), {"sockname": b"/s", "unix_domain": b"/s"}),
        (
            replies.watch(b"/\xff", "x"),
            {"watch": b"/\xff", "watcher": "x"},
        ),
        (replies.watch_project(b"/a", "x"), {"watch": b"/a", "watcher": "x"}),
        (
            replies.watch_project(b"/a", "x", b"b"),
            {"watch": b"/a", "watcher": "x", "relative_path": b"b"},
        ),
        (replies.watch_list([b"/a"]), {"roots": [b"/a"]}),
        (replies.watch_del(b"/a", deleted=True), {"root": b"/a", "watch-del": True}),
        (replies.clock(CLOCK), {"clock": TEXT}),
        (replies.find(CLOCK), {"clock": TEXT}),
        (
            replies.query(CLOCK, fresh=True),
            {"clock": TEXT, "is_fresh_instance": True, "debug": {"cookie_files": []}},
        ),
        (
            replies.subscribe("n", CLOCK),
            {"subscribe": "n", "clock": TEXT, "asserted-states": []},
        ),
        (
            replies.subscribe("n", CLOCK, "subscription name 'n' is not unique"),
            {
                "subscribe": "n",
                "clock": TEXT,
                "asserted-states": [],
                "warning": "subscription name 'n' is not unique",
            },
        ),
        (
            replies.unsubscribe("n", deleted=False),
            {"unsubscribe": "n", "deleted": False},
        ),
        (
            replies.activity(1.5, [None, (1.0, True, 0.0)]),
            {"now": 1.5, "activity": [None, (1.0, True, 0.0)]},
        ),
        (replies.status({"pid": 1}), {"status": {"pid": 1}}),
        (replies.dump("text"), {"dump": "text"}),
        (replies.stop(), {"stop": True}),
    ],
)
def test_a_reply_has_its_members_and_the_version(
    reply: replies.Reply, members: dict[str, Any]
) -> None:
    assert reply == {"version": VERSION, **members}
    # By these, clients distinguish a reply from a message.
    assert not reply.keys() & {"subscription", "log", "unilateral"}
    # Some read the first 20 bytes before anything else.
    assert len(encode(reply)) > 20


def test_capabilities_are_reported_when_a_list_was_given() -> None:
    request = GetVersion(optional=("relative_root", "nonsense"), asked=True)
    reply = replies.version(request, "0.2.0")
    assert reply["capabilities"] == {"relative_root": True, "nonsense": False}
    assert "error" not in reply


def test_missing_capabilities_are_an_error_beside_the_others() -> None:
    request = GetVersion(required=("a", "term-name", "b"), asked=True)
    reply = replies.version(request, "0.2.0")
    assert reply["capabilities"] == {"a": False, "term-name": True, "b": False}
    assert reply["error"] == (
        "client required capabilities [a, b] not supported by this server"
    )


def test_capabilities_are_listed_in_order() -> None:
    names = replies.list_capabilities()["capabilities"]
    assert names == sorted(names)


def test_an_error_does_not_send_back_all_that_came() -> None:
    assert len(replies.error("x" * 10**6)["error"]) == replies.MAX_ERROR


def test_the_first_message_of_a_subscription() -> None:
    message = replies.message("n", b"/a", CLOCK, fresh=True)
    assert json.loads(encode(message, files=b'["b"]')) == {
        "version": VERSION,
        "unilateral": True,
        "subscription": "n",
        "root": "/a",
        "clock": TEXT,
        "is_fresh_instance": True,
        "files": ["b"],
    }


def test_a_later_message_says_since_when() -> None:
    message = replies.message("n", b"/a", CLOCK, since=NOW.clock(6))
    assert message["since"] == "c:1700000000:42:3:6"
    assert message["is_fresh_instance"] is False
    assert "recovered" not in message


def test_a_message_after_a_loss_says_so() -> None:
    assert replies.message("n", b"/a", CLOCK, recovered=True)["recovered"] is True


def test_the_last_message_of_a_subscription() -> None:
    assert replies.canceled("n", b"/a") == {
        "version": VERSION,
        "unilateral": True,
        "subscription": "n",
        "root": b"/a",
        "canceled": True,
    }
