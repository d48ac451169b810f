"""Several changes of one path become what they amount to."""

from gamin.events import Detail, Event, Kind, detailed
from gamin.protocol.watchman.client.net_change import NetChange


def kinds(change: NetChange) -> list[tuple[Kind, bool]]:
    return [(event.kind, event.is_dir) for event in change.events("/f")]


def new(*, existed: bool, is_dir: bool = False) -> NetChange:
    return NetChange(existed=existed, is_dir=is_dir)


def test_created_and_changed_is_created() -> None:
    change = new(existed=False)
    change.create(is_dir=False)
    change.change()
    assert change.is_unreported
    assert kinds(change) == [(Kind.CREATED, False)]


def test_created_and_deleted_is_nothing() -> None:
    change = new(existed=False)
    change.create(is_dir=True)
    change.delete()
    assert kinds(change) == []


def test_deleted_and_created_is_changed() -> None:
    change = new(existed=True)
    change.delete()
    change.create(is_dir=False)
    assert kinds(change) == [(Kind.CHANGED, False)]


def test_a_directory_in_the_place_of_a_file_is_a_deletion_and_a_creation() -> None:
    change = new(existed=True)
    change.delete()
    change.create(is_dir=True)
    assert kinds(change) == [(Kind.DELETED, False), (Kind.CREATED, True)]


def test_a_directory_that_is_gone_is_known_as_one() -> None:
    change = new(existed=True, is_dir=True)
    assert not change.is_deleted_directory
    change.delete()
    assert change.is_deleted_directory
    assert kinds(change) == [(Kind.DELETED, True)]


def test_a_renamed_file_that_was_written_is_moved_and_changed() -> None:
    change = new(existed=False)
    change.source, change.exists, change.recovered = "/old", True, True
    assert not change.is_unreported
    assert change.events("/f") == [Event(Kind.MOVED, "/old", "/f", recovered=True)]
    change.change()
    assert change.events("/f")[1:] == [Event(Kind.CHANGED, "/f", recovered=True)]


def test_details_of_all_changes_are_reported_together() -> None:
    change = new(existed=True)
    for bits in (Detail.CONTENT, -1, Detail.CLOSED):
        change.add_facts(detailed(Event(Kind.CHANGED, "/f"), bits))
        change.change()
    (event,) = change.events("/f")
    assert event.details == Detail.CONTENT | Detail.CLOSED


def test_details_that_nobody_knows_are_none() -> None:
    change = new(existed=True)
    change.change()
    assert change.events("/f")[0].details is None
    change.add_facts(detailed(Event(Kind.CHANGED, "/f", recovered=True), -1))
    (event,) = change.events("/f")
    assert event.details is None
    assert event.recovered
