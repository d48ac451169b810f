from typing import Any

import pytest

from gamin.protocol.watchman.clocks import Clock, Timestamp
from gamin.protocol.watchman.errors import BadQuery, BadRequest
from gamin.protocol.watchman.query.limits import DEFAULT_LIMITS
from gamin.protocol.watchman.query.query import Query, parse_query
from gamin.protocol.watchman.query.selection import PathFilter, Selection
from testkit.rows import NOW, row


def test_an_empty_query_asks_for_everything() -> None:
    assert parse_query({}) == Query()
    assert Query().fields == ("name", "exists", "new", "size", "mode")


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"since": "c:1:2:3:4"}, Query(since=Clock(1, 2, 3, 4))),
        ({"since": 5}, Query(since=Timestamp(5))),
        ({"fields": ["name"]}, Query(fields=("name",))),
        ({"relative_root": "a//b/./"}, Query(relative_root=b"a/b")),
        ({"relative_root": ""}, Query()),
        ({"expression": None}, Query()),
        ({"suffix": "c"}, Query(selection=Selection(suffixes=(b"c",)))),
        ({"suffix": []}, Query(selection=Selection(suffixes=()))),
        (
            {"glob": ["*.c"], "glob_includedotfiles": True, "glob_noescape": True},
            Query(selection=Selection(globs=(b"*.c",), dotfiles=True, escapes=False)),
        ),
        (
            {"path": ["a/", ".", {"path": "b", "depth": 0}]},
            Query(
                selection=Selection(
                    paths=(PathFilter(b"a"), PathFilter(b""), PathFilter(b"b", 0))
                )
            ),
        ),
        (
            {"glob": ["A"], "case_sensitive": False},
            Query(case_sensitive=False, selection=Selection(globs=(b"A",), fold=True)),
        ),
        (
            {"settle": 0, "ignore": ["*.o"], "vcs_ignore": True, "recursive": False},
            Query(settle=0.0, ignore=("*.o",), vcs_ignore=True, recursive=False),
        ),
        (
            {"cross_mounts": True, "initial": False},
            Query(cross_mounts=True, initial=False),
        ),
    ],
)
def test_a_query_is_what_was_written(given: dict[str, Any], query: Query) -> None:
    assert parse_query(given) == query


def test_an_expression_follows_the_case_of_its_query() -> None:
    query = parse_query({"expression": ["name", "A.C"], "case_sensitive": False})
    assert query.expression is not None
    assert query.expression.matches(row(b"a.c"), NOW)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"since": None}, "invalid value for 'since'"),
        ({"since": "x"}, "invalid clockspec"),
        ({"fields": ["foo"]}, "unknown field name 'foo'"),
        ({"expression": "foo"}, "unknown expression term 'foo'"),
        ({"relative_root": "/etc"}, "check your relative_root parameter!"),
        ({"relative_root": "a/../.."}, "check your relative_root parameter!"),
        ({"glob": ["/a"]}, r"glob `/a` is an absolute path\.  All globs must be"),
        ({"glob": ["\0"]}, "no file can be named"),
    ],
)
def test_a_wrong_query_gives_a_clear_error(
    given: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(BadRequest, match=complaint):
        parse_query(given)


def test_an_error_names_the_query() -> None:
    with pytest.raises(BadQuery) as refused:
        parse_query({"expression": "foo"})
    assert str(refused.value) == (
        "watchman::QueryParseError: failed to parse query: "
        "unknown expression term 'foo'"
    )


def test_subscribers_who_ask_the_same_from_different_clocks_share() -> None:
    asked: dict[str, Any] = {"expression": ["name", "a"], "suffix": ["c"]}
    early = parse_query({**asked, "since": "c:1:2:3:4", "sync_timeout": 1})
    late = parse_query({**asked, "initial": False})
    assert early != late
    assert early.sharing_key() == late.sharing_key()
    assert hash(early.sharing_key()) == hash(late.sharing_key())


def test_subscribers_who_ask_something_else_do_not_share() -> None:
    assert parse_query({"settle": 0}).sharing_key() != parse_query({}).sharing_key()
    assert parse_query({"suffix": "c"}).sharing_key() != parse_query({}).sharing_key()


@pytest.mark.parametrize("given", ["settle_period", "settle_timeout"])
def test_a_wait_for_quiet_needs_its_end_and_the_other_way_round(given: str) -> None:
    with pytest.raises(BadQuery, match=f"{given} specified without settle_"):
        parse_query({given: 1})
    once = parse_query({"settle_period": 1, "settle_timeout": 2, "request_id": "x"})
    assert (once.settle_period, once.settle_timeout) == (1, 2)
    assert once.sharing_key() == parse_query({}).sharing_key()


def test_only_a_query_of_moved_from_reports_renames() -> None:
    assert parse_query({"fields": ["name", "moved_from"]}).wants_moves
    assert not parse_query({}).wants_moves


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("suffix", DEFAULT_LIMITS.paths),
        ("path", DEFAULT_LIMITS.paths),
        ("glob", DEFAULT_LIMITS.patterns),
        ("ignore", DEFAULT_LIMITS.ignore_patterns),
    ],
)
def test_more_items_than_anybody_needs_are_refused(name: str, most: int) -> None:
    parse_query({name: ["x"] * most})
    with pytest.raises(BadQuery, match=f"'{name}' has more than {most} items"):
        parse_query({name: ["x"] * (most + 1)})


@pytest.mark.parametrize("name", ["glob", "ignore"])
def test_longer_patterns_than_anybody_needs_are_refused(name: str) -> None:
    with pytest.raises(BadQuery, match=f"'{name}' has more than .* characters"):
        parse_query({name: ["x" * 4000] * 100})


def test_the_price_of_a_query_is_what_one_row_may_be_asked() -> None:
    assert parse_query({}).price == 1
    selection = {"suffix": ["c", "h"], "glob": ["*.py"], "path": ["a"]}
    assert parse_query(selection | {"expression": ["not", "exists"]}).price == 7
