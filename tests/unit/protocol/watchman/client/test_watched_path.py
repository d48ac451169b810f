"""What a client asks about one path."""

from gamin.protocol.watchman.client.belief import Belief
from gamin.protocol.watchman.client.watched_path import WatchedPath, WatchOptions
from gamin.protocol.watchman.query.query import parse_query


def path_with(options: WatchOptions, clock: str | None = None) -> WatchedPath:
    return WatchedPath("0", "/a", clock, options)


def query_of(options: WatchOptions) -> dict[str, object]:
    query = path_with(options).query()
    query.pop("watch")
    query.pop("defer_vcs")
    return query


def test_a_query_has_only_those_members_that_an_old_server_knows_by_default() -> None:
    plain = path_with(WatchOptions()).query()
    optional = {"details", "flow_control", "once", "unreadable", "wait_for_mounts"}
    assert not optional & plain.keys()


def test_options_become_members_of_the_query() -> None:
    options = WatchOptions(details=True, flow_control=False, unreadable=True, once=True)
    query = parse_query(query_of(options))
    assert query.once
    assert (query.details, query.flow_control, query.unreadable) == (True, False, True)


def test_only_a_new_watch_is_to_be_refused_on_a_mount_that_does_not_answer() -> None:
    path = path_with(WatchOptions(wait_for_mounts=False))
    assert path.query()["wait_for_mounts"] is False
    path.belief = Belief()
    assert "wait_for_mounts" not in path.query()


def test_a_path_that_is_known_asks_for_no_listing_and_goes_on_from_its_clock() -> None:
    path = path_with(WatchOptions(), "c:1:2:3:4")
    assert path.query()["initial"] is True
    path.belief = Belief()
    assert path.query()["initial"] is False
    assert path.query()["since"] == "c:1:2:3:4"


def test_a_path_is_ready_when_it_is_answered_and_listed_or_over() -> None:
    path = path_with(WatchOptions())
    assert not path.is_ready
    path.is_answered, path.belief = True, Belief()
    assert path.is_ready
    path.awaits_listing = True
    assert not path.is_ready
    path.is_over = True
    assert path.is_ready
