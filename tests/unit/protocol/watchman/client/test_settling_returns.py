"""What a watch held is reported by the watch that goes on from its clock."""

from gamin.events import Event, Kind
from tests.unit.protocol.watchman.client.test_settling import (
    Scene,
    busy_until,
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


def test_nothing_that_was_held_is_reported_after_a_listing_of_what_is_there() -> None:
    """The listing is what is there: of what is gone it says nothing."""
    scene = Scene()
    scene.happen(created("/r/a"), created("/r/gone"), moved("/r/b", "/r/c"), at=0)
    scene.happen(changed("/r/d/of/another"), at=0.1)
    scene.come_back()
    there = [Event(Kind.EXISTS, path, recovered=True) for path in ("/r/a", "/r/c")]
    scene.settling.replaced("/r")
    scene.happen(*there, at=0.5)
    assert [event for _, event in scene.finished()] == there


def test_a_listing_of_one_path_ends_nothing_that_is_held_of_another() -> None:
    scene = Scene()
    scene.happen(moved("/q/a", "/r/a"), created("/r/gone"), created("/q/b"), at=0)
    scene.settling.replaced("/r")
    assert [event for _, event in scene.finished()] == [
        created("/q/b"),
        deleted("/q/a"),
    ]


def test_a_file_that_is_watched_itself_is_not_reported_after_its_listing() -> None:
    scene = Scene()
    scene.happen(changed("/r"), at=0)
    scene.settling.replaced("/r")
    assert scene.finished() == []


def test_a_listing_ends_what_a_late_report_would_be_compared_with() -> None:
    """The same stamp means the same change only as long as nothing was lost."""
    scene = Scene(busy_until(0.0, 9.0))
    scene.happen(created("/r/a"), at=0)
    scene.run(until=2.0)
    scene.settling.replaced("/r")
    scene.happen(changed("/r/a"), at=2.5)
    assert [event for _, event in scene.finished()] == [
        created("/r/a"),
        changed("/r/a"),
    ]
