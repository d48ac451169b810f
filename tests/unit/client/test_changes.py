"""`gamin.changes`: one question to a real server, and its answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import gamin
from gamin import Kind
from testkit.watches import created, exists


@pytest.fixture
def tree(server: None, tmp_path: Path) -> Iterator[Path]:
    """A tree with a file, and a server that outlives the questions about it."""
    (tmp_path / "old").touch()
    with gamin.watch(tmp_path):
        yield tmp_path


def test_without_a_clock_everything_that_exists_is_listed(tree: Path) -> None:
    events, clock = gamin.changes(tree, since=None)
    assert exists(tree / "old") in events
    assert {event.kind for event in events} == {Kind.EXISTS}
    assert clock.startswith("c:")


def test_from_a_clock_on_only_what_changed_is_named(tree: Path) -> None:
    _, clock = gamin.changes(tree, since=None)
    (tree / "new").touch()
    events, later = gamin.changes(tree, since=clock)
    assert events == [created(tree / "new")]
    assert later != clock
    assert gamin.changes(tree, since=later)[0] == []


def test_a_name_stands_for_the_moment_when_it_was_used_last(tree: Path) -> None:
    name = "n:backup"
    assert exists(tree / "old", recovered=True) in gamin.changes(tree, since=name)[0]
    (tree / "new").touch()
    assert gamin.changes(tree, since=name)[0] == [created(tree / "new")]
    assert gamin.changes(tree, since=name)[0] == []


def test_a_name_counts_for_each_of_several_paths(tree: Path) -> None:
    one, two = tree / "one", tree / "two"
    one.mkdir()
    two.mkdir()
    gamin.changes(one, two, since="n:both")
    (one / "a").touch()
    (two / "b").touch()
    events, _ = gamin.changes(one, two, since="n:both")
    assert sorted(event.path for event in events) == [f"{one}/a", f"{two}/b"]


def test_a_clock_that_is_none_is_an_error(tree: Path) -> None:
    with pytest.raises(gamin.WatchRefused, match="invalid clockspec"):
        gamin.changes(tree, since="nonsense")
