import re

from gamin.errors import GaminError
from gamin.protocol.watchman.errors import (
    BadCommand,
    BadQuery,
    NotWatched,
    QueryFailed,
    UnknownCommand,
)


def test_the_git_hook_understands_that_a_root_is_not_watched() -> None:
    pattern = r"unable to resolve root .* directory (.*) is not watched"
    found = re.search(pattern, str(NotWatched("/some/root")))
    assert found is not None
    assert found[1] == "/some/root"


def test_texts_begin_with_the_class_of_the_failure() -> None:
    assert str(BadQuery("x")) == ("watchman::QueryParseError: failed to parse query: x")
    assert str(UnknownCommand("x")) == (
        "watchman::CommandValidationError: failed to validate command: x"
    )
    assert str(QueryFailed("x")) == "watchman::QueryExecError: query failed: x"


def test_a_complaint_about_arguments_stands_alone() -> None:
    assert str(BadCommand("wrong number of arguments")) == "wrong number of arguments"


def test_every_refusal_is_an_error_of_ours() -> None:
    assert issubclass(NotWatched, GaminError)
