"""The picture that a follower keeps of a tree."""

import pytest

from gamin.fleet.message import LISTING, MISSED, RESYNC, RESYNCED, FleetEvent
from gamin.fleet.mirror import Mirror


def event(
    kind: str,
    path: str = "",
    dest: str | None = None,
    *,
    is_dir: bool = False,
    entries: tuple[tuple[str, bool], ...] = (),
    position: int = 0,
) -> FleetEvent:
    return FleetEvent(
        *("host", "tree", kind, path, dest, is_dir, False, None, None, "", "", {}),
        *("e", 0, ""),
        entries=entries,
        stream_sequence=position,
    )


def listed(*entries: tuple[str, bool]) -> Mirror:
    mirror = Mirror()
    mirror.apply(event(RESYNC))
    mirror.apply(event(LISTING, entries=entries))
    mirror.apply(event(RESYNCED))
    return mirror


def test_a_listing_replaces_what_was_known() -> None:
    mirror = listed(("old", False))
    assert mirror.is_complete
    mirror.apply(event(RESYNC))
    assert not mirror.is_complete
    assert len(mirror) == 0
    mirror.apply(event(LISTING, entries=(("a", True), ("a/b", False))))
    mirror.apply(event(RESYNCED))
    assert mirror.is_complete
    assert list(mirror) == ["a", "a/b"]
    assert mirror.is_dir("a")


def test_changes_are_applied_with_what_is_below() -> None:
    mirror = listed(("a", True), ("a/b", True), ("a/b/c", False), ("ab", False))
    mirror.apply(event("moved", "a", "z", is_dir=True))
    assert sorted(mirror) == ["ab", "z", "z/b", "z/b/c"]
    mirror.apply(event("created", "new"))
    mirror.apply(event("deleted", "z", is_dir=True))
    assert sorted(mirror) == ["ab", "new"]


def test_a_file_in_the_place_of_a_directory_ends_what_was_below() -> None:
    mirror = listed(("a", True), ("a/b", False))
    mirror.apply(event("created", "a"))
    assert list(mirror) == ["a"]
    assert not mirror.is_dir("a")


def test_a_rename_replaces_what_was_there() -> None:
    mirror = listed(("a", False), ("b", True), ("b/c", False))
    mirror.apply(event("moved", "a", "b"))
    assert list(mirror) == ["b"]


def test_what_was_missed_makes_it_incomplete_until_the_next_listing() -> None:
    mirror = listed(("a", False))
    mirror.apply(event(MISSED))
    assert not mirror.is_complete
    mirror.apply(event(RESYNC))
    mirror.apply(event(RESYNCED))
    assert mirror.is_complete


def test_what_is_not_there_has_no_type() -> None:
    with pytest.raises(KeyError):
        listed(("a", False)).is_dir("b")


def test_the_end_of_the_tree_is_the_end_of_all() -> None:
    mirror = listed(("a", False))
    mirror.apply(event("deleted", "", is_dir=True))
    assert "a" not in mirror


@pytest.mark.parametrize("first", range(6))
def test_messages_that_come_again_after_a_kill_of_the_follower_change_nothing(
    first: int,
) -> None:
    told = [
        event(RESYNC, position=1),
        event(LISTING, entries=(("a", True), ("a/x", False)), position=2),
        event(RESYNCED, position=3),
        event("moved", "a", "b", is_dir=True, position=4),
        event("created", "a", is_dir=True, position=5),
        event("created", "a/y", position=6),
    ]
    mirror = Mirror()
    for each in [*told, *told[first:]]:
        mirror.apply(each)
    assert sorted(mirror) == ["a", "a/y", "b", "b/x"]
    assert mirror.is_complete
