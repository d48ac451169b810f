"""Questions about paths, and what the server answers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.client.activity import (
    COMMAND,
    NOTHING_MORE,
    Activity,
    Questions,
)
from gamin.protocol.watchman.client.session import ClientSession, Reply

ROOTS = {"one": "/a"}


def questions() -> Questions:
    made = Questions()
    made.begin(ClientSession())
    return made


def requests(data: bytes) -> list[list[Any]]:
    return [json.loads(line) for line in data.splitlines()]


def reply(**value: object) -> Reply:
    return Reply((COMMAND,), dict(value))


def test_a_question_names_paths_below_the_closest_root() -> None:
    roots = {"one": "/a", "other": "/a/b", "top": "/"}
    paths = ["/a/f", "/a/b/c", "/a/b", "/ab", "/a/g"]
    data, outside = questions().ask(paths, roots)
    assert outside == []
    assert requests(data) == [
        [COMMAND, "/a", "one", ["f", "g"]],
        [COMMAND, "/a/b", "other", ["c", ""]],
        [COMMAND, "/", "top", ["ab"]],
    ]


def test_a_path_below_no_root_is_not_asked_about() -> None:
    assert questions().ask(["/ab", "/a"], ROOTS) == (
        b'["gamin-activity","/a","one",[""]]\n',
        ["/ab"],
    )


def test_an_answer_says_how_long_each_path_has_been_quiet() -> None:
    asked = questions()
    asked.ask(["/a/f", "/a/g", "/a/h"], ROOTS)
    asked.answered(reply(now=10.5, activity=[None, [10.0, True, 0], [None, False, 2]]))
    expected = [
        NOTHING_MORE,
        Activity(0.5, 10.0, True, 0.0),
        Activity(None, None, False, 2.0),
    ]
    assert asked.take_answers() == [(["/a/f", "/a/g", "/a/h"], expected)]
    assert asked.take_answers() == []


def test_of_a_subscription_that_has_ended_there_is_nothing_more_to_come() -> None:
    asked = questions()
    asked.ask(["/a/f"], ROOTS)
    asked.answered(reply(error="there is no subscription 'one'"))
    assert asked.take_answers() == [(["/a/f"], [NOTHING_MORE])]


def test_a_question_to_a_lost_server_is_not_answered() -> None:
    asked = questions()
    asked.ask(["/a/f"], ROOTS)
    asked.begin(ClientSession())
    assert asked.take_answers() == [(["/a/f"], None)]


WRONG: list[dict[str, object]] = [
    {},
    {"now": 1.0, "activity": []},
    {"now": 1.0, "activity": [[1.0, True]]},
    {"now": "1", "activity": [[1.0, True, 0.0]]},
    {"now": 1.0, "activity": [["1", True, 0.0]]},
    {"now": 1.0, "activity": ["abc"]},
    {"now": 1.0, "activity": 7},
]


@pytest.mark.parametrize("value", WRONG, ids=json.dumps)
def test_an_answer_of_another_form_is_an_error(value: dict[str, object]) -> None:
    asked = questions()
    asked.ask(["/a/f"], ROOTS)
    with pytest.raises(RemoteProtocolError):
        asked.answered(reply(**value))


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3) | st.integers(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(now=VALUES, activity=VALUES)
def test_any_answer_is_read_or_an_error(now: object, activity: object) -> None:
    asked = questions()
    asked.ask(["/a/f"], ROOTS)
    try:
        asked.answered(reply(now=now, activity=activity))
    except RemoteProtocolError:
        return
    ((paths, found),) = asked.take_answers()
    assert paths == ["/a/f"]
    assert found is not None
    assert len(found) == 1
