import json

from gamin.events import Kind, Row
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.codec.json_codec import JSON
from testkit.rows import NOW, row


def test_names_of_files_are_text_with_surrogate_escapes() -> None:
    reply = json.loads(JSON.encode(replies.watch_del(b"/\xff", deleted=True)))
    assert reply["root"] == "/\udcff"


def test_rows_become_a_member_of_the_reply() -> None:
    files = JSON.rows([row(b"a")], ["name"], NOW)
    assert json.loads(JSON.encode({"clock": "c"}, {"files": files})) == {
        "clock": "c",
        "files": ["a"],
    }


def test_rows_of_the_core_have_all_that_an_event_says() -> None:
    written = JSON.events([Row(Kind.MOVED, b"/d/new", True, b"/d/old")], len(b"/d/"))
    assert json.loads(written) == [
        {"name": "new", "kind": "moved", "is_dir": True, "moved_from": "old"}
    ]


def test_a_text_is_quoted() -> None:
    assert JSON.text(b'"\xff') == b'"\\"\\udcff"'
