"""What is collected of a root to be saved: all of it once, and later what changed."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from gamin.core.apply import removals
from gamin.daemon.sessions.watchman import collecting as module
from gamin.daemon.sessions.watchman.collecting import Collected, Collecting, Saved
from gamin.daemon.sessions.watchman.root import Root
from gamin.state.saved import unpack
from gamin.state.store import Base
from testkit.sessions import Home

BASE = Base(1, b"chain")
FOLDERS = 150


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for number in range(FOLDERS):
        (tree / str(number)).mkdir(parents=True)
    return tree


def watched(server: Home, tree: Path, **options: object) -> Root:
    query = {"fields": ["name"], "watch": True, **options}
    server.watcher().ask("subscribe", str(tree), "s", query)
    (root,) = server.watchman.roots.all
    return root


Steps = Generator[None, None, Collected | None]


def steps(server: Home, root: Root, before: Saved | None = None) -> Steps:
    return Collecting(server.service, root, lambda: 7).steps(before)


def outcome(
    collecting: Steps, between: Callable[[int], None] = lambda step: None
) -> Collected | None:
    """What was collected; `between` is called after each step with its number."""

    def steps() -> Generator[None, None, None]:
        results.append((yield from collecting))

    results: list[Collected | None] = []
    for count, _ in enumerate(steps(), 1):
        between(count)
    return results[0]


def ended(
    collecting: Steps, between: Callable[[int], None] = lambda step: None
) -> Collected:
    found = outcome(collecting, between)
    assert found is not None
    return found


def names(collected: Collected) -> list[bytes]:
    """The names of the directories, in their order."""
    return [known.name for chunk in collected.chunks for _, known in unpack(chunk)]


def test_the_first_time_everything_is_collected(server: Home, tree: Path) -> None:
    root = watched(server, tree)
    found = ended(steps(server, root))
    assert found.before is None
    assert len(names(found)) == found.directories == FOLDERS + 1
    assert found.header.tick == root.clock().tick
    assert found.header.clock_offset_ns == 7


def test_later_only_what_changed_is_collected(server: Home, tree: Path) -> None:
    root = watched(server, tree)
    saved = ended(steps(server, root)).saved(BASE)
    assert ended(steps(server, root, saved)).chunks == []
    (tree / "7/new").touch()
    (tree / "made").mkdir()
    found = ended(steps(server, root, saved))
    assert sorted(names(found)) == [b"7", b"made", b"tree"]
    assert found.before == saved
    assert found.saved(BASE).later == 3


def test_what_changes_meanwhile_is_collected_again(server: Home, tree: Path) -> None:
    root = watched(server, tree)

    def change(step: int) -> None:
        if step == 1:
            (tree / "3/new").touch()
            (tree / "4").rename(tree / "5/four")

    found = ended(steps(server, root), change)
    latest = {
        known.number: (identity, known)
        for chunk in found.chunks
        for identity, known in unpack(chunk)
    }
    by_name = {known.name: (identity, known) for identity, known in latest.values()}
    assert by_name[b"3"][1].files == b"new"
    moved = (tree / "5/four").stat().st_ino
    identity = by_name[b"four"][0]
    assert identity is not None
    assert identity[1] == moved
    assert found.header.tick == root.clock().tick


def test_it_ends_though_changes_do_not(server: Home, tree: Path) -> None:
    root = watched(server, tree)

    def change(step: int) -> None:
        for number in range(FOLDERS):
            (tree / str(number) / str(step)).touch()

    found = ended(steps(server, root), change)
    (identity, _) = unpack(found.chunks[-1])[-1]
    assert identity is None  # it could have been moved right before


def test_what_another_root_watches_below_a_directory_is_not_its_own(
    server: Home, tree: Path
) -> None:
    watched(server, tree)
    root = watched_alone(server, tree)
    found = ended(steps(server, root))
    assert names(found) == [b"tree"]


def watched_alone(server: Home, tree: Path) -> Root:
    query = {"fields": ["name"], "watch": True, "recursive": False}
    server.watcher().ask("subscribe", str(tree), "alone", query)
    [root] = [root for key, root in server.watchman.roots.by_key() if not key.recursive]
    return root


def test_a_store_of_which_most_is_outdated_is_written_anew(
    server: Home, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MIN_WORTHLESS", 0)
    root = watched(server, tree)
    saved = ended(steps(server, root)).saved(BASE)
    assert not saved.is_bloated
    saved = saved._replace(later=saved.whole + 1)
    assert saved.is_bloated
    assert ended(steps(server, root, saved)).before is None


def test_what_was_saved_of_other_rules_or_of_another_directory_is_no_base(
    server: Home, tree: Path
) -> None:
    root = watched(server, tree)
    saved = ended(steps(server, root)).saved(BASE)
    others = saved._replace(view_tick=saved.view_tick + 1)
    assert ended(steps(server, root, others)).before is None
    elsewhere = saved._replace(generation=saved.generation._replace(number=99))
    assert ended(steps(server, root, elsewhere)).before is None


def test_nothing_is_collected_of_a_root_that_is_gone(server: Home, tree: Path) -> None:
    root = watched(server, tree, recursive=False)
    for number in range(FOLDERS):
        (tree / str(number)).rmdir()
    tree.rmdir()
    assert outcome(steps(server, root)) is None


@pytest.mark.parametrize("most", [0, module.MAX_ROUNDS], ids=["at once", "in slices"])
def test_a_large_directory_that_is_gone_is_removed_before_it_is_collected(
    server: Home, tree: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals, "MAX_NAMES_AT_ONCE", 5)
    monkeypatch.setattr(removals, "BATCH_NAMES", 4)
    monkeypatch.setattr(module, "MAX_ROUNDS", most)
    for number in range(20):
        (tree / "7" / str(number)).touch()
    root = watched(server, tree)
    (tree / "7").rename(tree.parent / "elsewhere")
    server.service.drive.synchronise()
    assert server.service.monitor.is_removing
    found = ended(steps(server, root))
    known = {each.number: each for chunk in found.chunks for _, each in unpack(chunk)}
    top = known[found.header.top]
    there = {known[number].name for number in top.children}
    assert there == {b"%d" % number for number in range(FOLDERS)} - {b"7"}
    assert not top.subdirectories
