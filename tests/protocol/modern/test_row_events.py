from typing import Any

import pytest

from gamin.errors import RemoteProtocolError
from gamin.events import Event, Kind
from gamin.protocol.modern.row_events import events

ROW = {"name": "f", "kind": "created", "is_dir": False, "moved_from": None}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.MOVED])
def test_a_row_is_an_event_below_the_root(kind: Kind) -> None:
    rows = [{**ROW, "kind": kind.value, "is_dir": True}]
    assert events(rows, "/a") == [Event(kind, "/a/f", is_dir=True)]


def test_a_rename_has_both_paths() -> None:
    rows = [{**ROW, "kind": "moved", "moved_from": "e"}]
    assert events(rows, "/a") == [Event(Kind.MOVED, "/a/e", "/a/f")]


def test_a_row_without_a_name_is_the_root_itself() -> None:
    assert events([{**ROW, "name": ""}], "/a/f") == [Event(Kind.CREATED, "/a/f")]


def test_below_the_root_of_all_there_is_one_slash() -> None:
    assert events([ROW], "/") == [Event(Kind.CREATED, "/f")]


def test_names_that_are_not_utf_8_stay_what_they_are() -> None:
    assert events([{**ROW, "name": "\udcff"}], "/a")[0].path == "/a/\udcff"


def test_what_was_recovered_says_so() -> None:
    assert events([ROW], "/a", recovered=True)[0].recovered


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("f", id="a name alone"),
        pytest.param({"name": "f"}, id="too few fields"),
        pytest.param({**ROW, "kind": "vanished"}, id="an unknown kind"),
        pytest.param({**ROW, "kind": []}, id="no kind at all"),
        pytest.param({**ROW, "name": 5}, id="a name that is a number"),
        pytest.param({**ROW, "kind": "moved"}, id="a rename from nowhere"),
    ],
)
def test_rows_that_nobody_asked_for_are_refused(row: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        events([row], "/a")
