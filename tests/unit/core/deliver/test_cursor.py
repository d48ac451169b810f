"""How far a client is."""

from gamin.core.deliver.cursor import Cursor


def test_a_cursor_that_fell_behind_catches_up_with_the_present() -> None:
    cursor = Cursor("here", 5)
    cursor.fall_behind(6)
    assert (cursor.is_behind, cursor.tick, cursor.target) == (True, 6, "here")
    cursor.catch_up(9, "there")
    assert (cursor.is_behind, cursor.tick, cursor.target) == (False, 9, "there")


def test_a_cursor_that_is_behind_does_not_fall_further_behind() -> None:
    cursor = Cursor("here", 5)
    cursor.fall_behind(6)
    cursor.fall_behind(7)
    assert cursor.tick == 6


def test_a_cursor_never_goes_back() -> None:
    """Who joins in the middle of a round has what the round began with."""
    cursor = Cursor("here", 5)
    cursor.fall_behind(4)
    assert cursor.tick == 5
