"""A real kernel has no more watches for the server, or none at all.

Nothing is lost: what inotify has no room for is watched by fanotify; what does not fit
there either is polled, and goes back when there is room again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import gamin
from gamin import Watch
from testkit.backends import available
from testkit.daemon import Daemon, daemon
from testkit.quotas import allow, can_limit, limited
from testkit.server_state import status
from testkit.waiting import eventually
from testkit.watches import SOON, changed, created, deleted, until

pytestmark = pytest.mark.skipif(
    not can_limit(), reason="no user namespaces with quotas of their own"
)

needs_fanotify = pytest.mark.skipif(
    all(way.name != "fanotify" for way in available()), reason="no fanotify"
)

FOLDERS = 32
FEW, ENOUGH = 15, 10_000
"""Quotas of watches; some of the few are for the directories above."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for number in range(FOLDERS):
        (tree / str(number)).mkdir(parents=True)
        (tree / str(number) / "old").touch()
    return tree


@contextmanager
def serving(
    session: str,
    folder: Path,
    *,
    watches: int = ENOUGH,
    instances: int = 1,
    marks: int | None = None,
) -> Iterator[Daemon]:
    """A server with these quotas; the watches of the block use it."""
    prefix = limited(watches, instances, marks)
    with (
        daemon(session, folder, prefix=prefix) as served,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in served.environ.items():
            environment.setenv(name, value)
        yield served


def change_everywhere(tree: Path, watch: Watch) -> None:
    """Make a change in every directory; return when each was reported."""
    wanted = []
    for number in range(FOLDERS):
        folder = tree / str(number)
        (folder / "new").touch()
        (folder / "old").write_text("text")
        wanted += [created(folder / "new"), changed(folder / "old")]
    until(watch, *wanted)
    for number in range(FOLDERS):
        (tree / str(number) / "new").unlink()
    until(watch, *(deleted(tree / str(n) / "new") for n in range(FOLDERS)))


@needs_fanotify
def test_directories_beyond_the_quota_of_inotify_are_watched_by_fanotify(
    session: str, tmp_path: Path, tree: Path
) -> None:
    with (
        serving(session, tmp_path / "home", watches=FEW, marks=ENOUGH) as served,
        gamin.watch(tree, timeout=SOON) as watch,
    ):
        reported = status()
        assert reported.watches.polled == 0
        assert reported.facilities["inotify"].used_by_us == FEW
        assert (
            reported.facilities["fanotify"].used_by_us
            == reported.watches.kernel - FEW
            > 0
        )
        change_everywhere(tree, watch)
        assert not served.log()


def test_directories_beyond_both_quotas_are_polled_and_reported(
    session: str, tmp_path: Path, tree: Path
) -> None:
    with (
        serving(session, tmp_path / "home", watches=FEW) as served,
        gamin.watch(tree, timeout=SOON) as watch,
    ):
        held = status().watches
        assert held.kernel == FEW * len(status().facilities)
        assert held.polled == held.no_room > 0
        change_everywhere(tree, watch)
        [line] = served.log()
        assert "max_user_watches" in line


def test_a_polled_tree_goes_back_to_the_kernel_when_there_is_room(
    session: str, tmp_path: Path, tree: Path
) -> None:
    with (
        serving(session, tmp_path / "home", watches=FEW) as served,
        gamin.watch(tree, timeout=SOON) as watch,
    ):
        assert status().watches.no_room
        allow(served.process.pid, watches=ENOUGH, instances=1)
        eventually(lambda: not status().watches.no_room, 60, "room for all of it")
        assert status().watches.polled == 0
        change_everywhere(tree, watch)


def test_everything_is_polled_and_reported_without_an_instance(
    session: str, tmp_path: Path, tree: Path
) -> None:
    with (
        serving(session, tmp_path / "home", instances=0) as served,
        gamin.watch(tree, timeout=SOON) as watch,
    ):
        held = status().watches
        assert held.kernel == 0
        assert held.polled == held.no_room > FOLDERS
        change_everywhere(tree, watch)
        assert "max_user_instances" in served.log()[0]


def test_a_polled_tree_goes_to_the_kernel_when_an_instance_is_free(
    session: str, tmp_path: Path, tree: Path
) -> None:
    with (
        serving(session, tmp_path / "home", instances=0) as served,
        gamin.watch(tree, timeout=SOON) as watch,
    ):
        assert status().watches.kernel == 0
        allow(served.process.pid, watches=ENOUGH, instances=1)
        eventually(lambda: not status().watches.polled, 60, "an instance")
        change_everywhere(tree, watch)
