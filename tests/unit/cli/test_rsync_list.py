"""Which paths rsync is to compare."""

from gamin.cli.rsync_list import rsync_list
from gamin.events import Event, Kind


def listed(*events: Event) -> list[str]:
    return rsync_list(events)


def event(kind: Kind, path: str, dest: str | None = None) -> Event:
    return Event(kind, path, dest)


def test_what_came_changed_and_went_is_listed_once() -> None:
    events = [event(kind, "b") for kind in (Kind.DELETED, Kind.CREATED, Kind.CHANGED)]
    assert listed(event(Kind.DELETED, "c/d"), *events) == ["b", "c/d"]


def test_both_names_of_a_move_are_listed() -> None:
    assert listed(event(Kind.MOVED, "old", "new")) == ["new", "old"]


def test_what_is_below_a_listed_path_is_left_out() -> None:
    """rsync reports an error for `gone/a`, and leaves `gone` in the copy."""
    paths = ["gone/a/b", "gone", "gone-not", "new/x", "new"]
    assert listed(*(event(Kind.DELETED, p) for p in paths)) == [
        "gone",
        "gone-not",
        "new",
    ]


def test_after_a_complete_listing_the_whole_tree_is_compared() -> None:
    assert listed(event(Kind.EXISTS, "a"), event(Kind.EXISTS, "b")) == ["."]


def test_an_empty_tree_is_listed_as_itself_and_compared_as_a_whole() -> None:
    assert listed(event(Kind.EXISTS, ".")) == ["."]
    assert listed() == [], "no change"


def test_a_tree_that_was_replaced_is_compared_as_a_whole() -> None:
    assert listed(event(Kind.DELETED, "."), event(Kind.CREATED, "a")) == ["."]


def test_no_name_is_taken_for_a_comment() -> None:
    names = ["#a", ";b", "c/#d"]
    assert listed(*(event(Kind.CREATED, n) for n in names)) == ["./#a", "./;b", "c/#d"]
