import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.clocks import Clock
from gamin.protocol.watchman.commands import COMMANDS, parse_request
from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.query.expression import TERMS
from gamin.protocol.watchman.query.fields import FIELDS
from gamin.protocol.watchman.query.limits import QueryLimits
from gamin.protocol.watchman.query.options import OPTIONS
from gamin.protocol.watchman.query.query import Query
from testkit.nested import nested
from testkit.watchman_wire import read_request

words = st.sampled_from(
    [*COMMANDS, *TERMS, *OPTIONS, *FIELDS, "/root", "c:1:2:3:4", "basename", "a*", ""]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | words
values = nested(scalars, words | st.text(), max_size=5)
# A command with a root has more of its arguments looked at.
requests = st.builds(
    lambda name, root, rest: [name, *root, *rest],
    st.sampled_from(list(COMMANDS)),
    st.sampled_from([[], ["/root"], ["/root", "name"]]),
    st.lists(values, max_size=3),
)


@pytest.mark.parametrize(
    ("value", "request_"),
    [
        (["version"], ask.GetVersion()),
        (["version", {}], ask.GetVersion()),
        (
            ["version", {"required": ["a"], "optional": ["b"]}],
            ask.GetVersion(("a",), ("b",), asked=True),
        ),
        (["version", {"optional": []}], ask.GetVersion(asked=True)),
        (["list-capabilities"], ask.ListCapabilities()),
        (["get-sockname"], ask.GetSockname()),
        (["get-pid", "superfluous"], ask.GetPid()),
        (["watch", "/a"], ask.Watch(b"/a")),
        (["watch", "/\udcff"], ask.Watch(b"/\xff")),
        (["watch-project", "/a"], ask.WatchProject(b"/a")),
        (["watch-list"], ask.WatchList()),
        (["watch-del", "/a"], ask.WatchDel(b"/a")),
        (["watch-del-all"], ask.WatchDelAll()),
        (["clock", "/a"], ask.GetClock(b"/a")),
        (["clock", "/a", {}], ask.GetClock(b"/a")),
        (["clock", "/a", {"sync_timeout": 5}], ask.GetClock(b"/a")),
        (["query", "/a", {}], ask.RunQuery(b"/a", Query())),
        (["subscribe", "/a", "n", {}], ask.Subscribe(b"/a", "n", Query())),
        (
            [
                *("subscribe", "/a", "n"),
                {"watch": True, "defer": ["x"], "drop": ["y"], "defer_vcs": False},
            ],
            ask.Subscribe(
                *(b"/a", "n", Query()),
                watch=True,
                defer=("x",),
                drop=("y",),
                defer_vcs=False,
            ),
        ),
        (["unsubscribe", "/a", "n"], ask.Unsubscribe(b"/a", "n")),
        (["state-enter", "/a", "x"], ask.EnterState(b"/a", "x")),
        (
            ["state-leave", "/a", {"name": "x", "metadata": [1], "sync_timeout": 5}],
            ask.LeaveState(b"/a", "x", [1]),
        ),
        (
            ["flush-subscriptions", "/a", {"sync_timeout": 5}],
            ask.FlushSubscriptions(b"/a"),
        ),
        (
            [
                *("flush-subscriptions", "/a"),
                {"sync_timeout": 5, "subscriptions": ["n"]},
            ],
            ask.FlushSubscriptions(b"/a", ("n",)),
        ),
        (
            ["gamin-activity", "/a", "n", ["b/c", "\udcff", ""]],
            ask.GetActivity(b"/a", "n", (b"b/c", b"\xff", b"")),
        ),
        (["gamin-status"], ask.GaminStatus()),
        (["gamin-figures", 1.5], ask.GaminFigures(1.5)),
        (["gamin-figures", 0], ask.GaminFigures(0)),
        (["gamin-dump"], ask.GaminDump()),
        (["gamin-stop"], ask.GaminStop()),
    ],
)
def test_a_request_is_what_was_written(value: Any, request_: ask.Request) -> None:
    assert parse_request(value) == request_


def test_since_is_a_query_with_the_fields_of_old() -> None:
    request = parse_request(["since", "/a", "c:1:2:3:4", "*.c"])
    assert isinstance(request, ask.RunQuery)
    assert request.query.since == Clock(1, 2, 3, 4)
    assert request.query.expression is not None
    assert "nlink" in request.query.fields
    assert not request.is_find


def test_find_is_a_query_without_a_clock() -> None:
    request = parse_request(["find", "/a"])
    assert isinstance(request, ask.RunQuery)
    assert request.query.since is None
    assert request.query.expression is None
    assert request.is_find


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (1, r"invalid command \(expected an array with some elements!\)"),
        ([], r"invalid command \(expected an array with some elements!\)"),
        ([1], "invalid command: expected element 0 to be the command name"),
        (["foo"], "CommandValidationError: failed to validate .*unknown command foo"),
        (["version", 1], "argument 1 to 'version' must be an object"),
        (["version", {"required": "a"}], "required field must be an array of strings"),
        (["watch"], "^wrong number of arguments to 'watch'"),
        (["watch", "/a", 1], "wrong number of arguments to 'watch'"),
        (["watch", 1], "expected a string naming the root dir"),
        (["watch", "a"], 'unable to resolve root a: path "a" must be absolute'),
        (["watch", "/" + "a" * 5000], "unable to resolve root .*too long"),
        (["watch", "/a\0"], "no file can be named"),
        (["watch-del"], "wrong number of arguments to 'watch-del'"),
        (["clock"], "wrong number of arguments to 'clock'"),
        (["clock", "/a", 1], "the third argument to 'clock' must be an optional obj"),
        (
            ["clock", "/a", {"sync_timeout": "x"}],
            "the sync_timeout option passed to 'clock' must be an integer",
        ),
        (["query", "/a"], "^wrong number of arguments for 'query', expected 3$"),
        (["query", "/a", 1], "^wrong number of arguments for 'query', expected 3$"),
        (["query", "/a", {"expression": "x"}], "unknown expression term 'x'"),
        (["find"], "not enough arguments for 'find'"),
        (["since", "/a"], "not enough arguments for 'since'"),
        (["since", "/a", 1], "expected argument 2 to be a valid clockspec"),
        (["since", "/a", "x"], "invalid clockspec"),
        (["since", "/a", "n:x", 1], "rule @ position 3 is not a string value"),
        (["subscribe", "/a", "n"], "wrong number of arguments for subscribe"),
        (["subscribe", "/a", 1, {}], "expected 2nd parameter to be subscription name"),
        (["subscribe", "/a", "n", 1], "expected 3rd parameter to be the query object"),
        (
            ["subscribe", "/a", "n", {"defer": 1}],
            "defer field must be an array of strings",
        ),
        (
            ["subscribe", "/a", "n", {"drop": [1]}],
            "drop field must be an array of strings",
        ),
        (["subscribe", "/a", "n", {"defer_vcs": 1}], "defer_vcs must be boolean"),
        (["state-enter", "/a"], "^invalid number of arguments, expected 3, got 2$"),
        (["state-leave", "/a", {"name": 1}], "name must be a string"),
        (
            ["state-enter", "/a", {"name": "x", "sync_timeout": -1}],
            "^sync_timeout must be >= 0$",
        ),
        (
            ["flush-subscriptions", "/a"],
            "^wrong number of arguments to 'flush-subscriptions'$",
        ),
        (
            ["flush-subscriptions", "/a", {}],
            "^key 'sync_timeout' is not present in this json object$",
        ),
        (
            ["flush-subscriptions", "/a", {"sync_timeout": "1"}],
            "^'sync_timeout' must be an integer$",
        ),
        (
            ["flush-subscriptions", "/a", {"sync_timeout": 1, "subscriptions": "n"}],
            "^expected 'subscriptions' to be an array of subscription names$",
        ),
        *(
            (["gamin-figures", wrong], "must be 0 or a number of seconds from 0.1")
            for wrong in (0.01, -1, 3601, float("nan"), "1", None, True)
        ),
        (["gamin-figures"], "wrong number of arguments"),
        (["unsubscribe", "/a"], "wrong number of arguments"),
        (["unsubscribe", "/a", 1], "expected 2nd parameter to be subscription name"),
    ],
)
def test_a_wrong_request_gives_a_clear_error(value: Any, complaint: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_request(value)
    refused.match(complaint)


@given(values | requests)
def test_any_value_is_a_request_or_a_bad_one(value: Any) -> None:
    with contextlib.suppress(BadRequest):
        parse_request(value)


@given(st.binary() | st.text().map(lambda text: f'["{text}"]'.encode(errors="replace")))
def test_any_line_is_a_request_or_a_bad_one(line: bytes) -> None:
    with contextlib.suppress(BadRequest):
        read_request(line)


@pytest.mark.parametrize("depth", [100, 900, 100_000])
def test_no_depth_of_nesting_breaks_the_reader(depth: int) -> None:
    deep = b'["not",' * depth + b'"true"' + b"]" * depth
    for line in (
        b"[" * depth,
        deep,
        b'["query","/a",{"expression":' + deep + b"}]",
        b'["query","/a",{"unknown":' + deep + b"}]",
        b'["query","/a",{"expression":["true",' + deep + b"]}]",
        b'["since","/a","c:1:2:3:4",' + deep + b"]",
        b'["subscribe","/a",' + deep + b",{}]",
    ):
        with contextlib.suppress(BadRequest):
            read_request(line)


def test_no_depth_that_json_can_still_read_breaks_the_rest() -> None:
    # The limit of Python's JSON lies near 1000, less by what called it.
    for depth in range(900, 1000):
        deep = "[" * depth + "]" * depth
        with contextlib.suppress(BadRequest):
            read_request(f'["query","/a",{{"expression":["true",{deep}]}}]'.encode())


@pytest.mark.parametrize(
    ("value", "request_"),
    [
        (["log-level", "debug"], ask.SetLogLevel(10, "debug")),
        (["log-level", "off"], ask.SetLogLevel(None, "off")),
        (["global-log-level", "error"], ask.SetGlobalLogLevel(30, "error")),
        (["get-log"], ask.GetLog()),
    ],
)
def test_requests_about_the_log_are_read(value: list[str], request_: object) -> None:
    assert parse_request(value) == request_


@pytest.mark.parametrize("name", ["log-level", "global-log-level"])
def test_levels_of_the_log_have_three_names(name: str) -> None:
    with pytest.raises(BadRequest, match="invalid log level"):
        parse_request([name, "invalid"])
    for wrong in ([name], [name, "debug", "extra"], ["get-log", "x"]):
        with pytest.raises(BadRequest, match="wrong number of arguments"):
            parse_request(wrong)


def test_without_privileges_only_harmless_requests_are_read() -> None:
    assert parse_request(["get-pid"], is_owner=False) == ask.GetPid()
    with pytest.raises(BadRequest, match="you must be the process owner to execute"):
        parse_request(["watch-del", "/a"], is_owner=False)


@pytest.mark.parametrize(
    "value",
    [
        ["query", "/a", {"expression": ["anyof", "true", "true"]}],
        ["subscribe", "/a", "s", {"expression": ["anyof", "true", "true"]}],
        ["find", "/a", "*.c", "*.h"],
        ["since", "/a", "c:1:2:3:4", "*.c", "*.h"],
        ["trigger", "/a", {"name": "t", "command": ["c"], "expression": ["not", "x"]}],
    ],
)
def test_every_command_with_a_query_has_its_limits(value: list[Any]) -> None:
    with pytest.raises(BadRequest, match="more than 1 terms"):
        parse_request(value, limits=QueryLimits(terms=1))
