"""What a watch held is reported by the watch that goes on from its clock."""

from gamin.events import Event, Kind
from tests.unit.protocol.watchman.client.test_settling import (
    Scene,
    changed,
    created,
    deleted,
    moved,
)


def test_what_a_watch_held_is_reported_by_the_one_that_goes_on_from_its_clock() -> None:
    scene = Scene()
    scene.happen(created("/r/a"), moved("/r/b", "/r/c"), created("/r/d"), at=0)
    scene.happen(moved("/r/e", "/r/f", is_dir=True), at=0.5)
    scene.come_back()
    scene.happen(deleted("/r/d"), changed("/r/c"), at=0.6)
    assert [event for _, event in scene.finished()] == [
        moved("/r/e", "/r/f", is_dir=True),
        created("/r/a"),
        moved("/r/b", "/r/c"),
        changed("/r/c"),
    ]


def test_what_was_in_a_directory_that_is_another_one_is_gone_and_may_come_again() -> (
    None
):
    """After a while nobody is sure that the directory that is gone was known."""
    scene = Scene()
    scene.happen(changed("/r/d/f"), at=0)
    scene.come_back()
    scene.happen(
        *(deleted("/r/d", is_dir=True), created("/r/d", is_dir=True)),
        deleted("/r/d/f"),
        at=0.5,
        is_certain=False,
    )
    scene.happen(created("/r/d/f"), at=1.6)
    assert [event for _, event in scene.finished()] == [
        deleted("/r/d/f"),
        deleted("/r/d", is_dir=True),
        created("/r/d", is_dir=True),
        created("/r/d/f"),
    ]


def test_a_listing_in_the_place_of_a_difference_ends_what_was_held() -> None:
    scene = Scene()
    scene.happen(created("/r/a"), moved("/r/b", "/r/c"), at=0)
    scene.come_back()
    there = [Event(Kind.EXISTS, path, recovered=True) for path in ("/r/a", "/r/c")]
    scene.happen(*there, at=0.5)
    assert [event for _, event in scene.finished()] == there
