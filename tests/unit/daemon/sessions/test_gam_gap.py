"""What is seen at a path of a client that comes back."""

import os
import time
from pathlib import Path

import pytest

from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy
from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.sessions.gam_gap import PathGap
from gamin.events import Kind
from gamin.state.saved import Identity
from gamin.state.saved_client import PathBelief
from gamin.system.file_system_id import FileSystemIds
from testkit.sessions import Home, home
from testkit.watches import aged


class Client:
    def deliver(self, *_: object) -> None: ...
    def ready(self, *_: object) -> None: ...
    def note(self, *_: object) -> None: ...
    def flush(self) -> None: ...


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "box" / "file"
    file.parent.mkdir()
    file.touch()
    aged(file, file.parent)
    return file


def identity(path: Path) -> Identity:
    status = os.lstat(path)
    return FileSystemIds().of(status.st_dev, bytes(path)), status.st_ino


def kinds(
    served: Home, path: Path, scope: Scope, before: PathBelief, since_ns: int
) -> list[tuple[Kind, bytes]]:
    subscription = Subscription(
        Client(), 1, bytes(path), scope, directory_events_only=True
    )
    served.service.subscribe(subscription)
    served.run_until(lambda: subscription.ready)
    tree = served.monitor.tree
    beside = tree, FileSystemIds(), served.service.mounts
    gap = PathGap(before, subscription, since_ns, *beside)
    for _ in gap.steps():
        pass
    node = subscription.bound_directory
    there = subscription.node is not None
    listed: list[tuple[object, ...]] = [
        (Kind.EXISTS if there else Kind.DELETED, b"", node is not None)
    ]
    if node is not None and scope is Scope.DIRECTORY:
        listed += [(Kind.EXISTS, b"/x/" + name, False) for name in node.names]
    rows = gap.rows(listed)  # type: ignore[arg-type]  # as the core's rows
    return [(row.kind, row.path) for row in rows]


def test_a_file_is_changed_if_it_has_a_later_time_or_is_another_one(file: Path) -> None:
    now, long_ago = time.time_ns(), 1
    mine, other = PathBelief(True, identity(file)), PathBelief(True, (1, 2))
    with home() as served:
        assert kinds(served, file, Scope.FILE, mine, now) == []
        assert kinds(served, file, Scope.FILE, mine, long_ago) == [(Kind.CHANGED, b"")]
        assert kinds(served, file, Scope.FILE, other, now) == [(Kind.CHANGED, b"")]
        unsure = mine._replace(identity=None)
        assert kinds(served, file, Scope.FILE, unsure, now) == [(Kind.CHANGED, b"")]
        file.unlink()
        assert kinds(served, file, Scope.FILE, mine, now) == [(Kind.DELETED, b"")]


def test_where_ctimes_do_not_say_what_changed_everything_may_have(file: Path) -> None:
    box, now = file.parent, time.time_ns()
    mine = PathBelief(True, identity(file))
    before = PathBelief(True, identity(box), b"file")
    mounts = Mounts([Mount(b"/", "ext4"), Mount(bytes(box.resolve()), "exfat")])
    with home() as served:
        served.monitor.policy_changed(Policy((), mounts), time.monotonic())
        assert kinds(served, file, Scope.FILE, mine, now) == [(Kind.CHANGED, b"")]
        assert kinds(served, box, Scope.DIRECTORY, before, now) == [
            (Kind.DELETED, b""),
            (Kind.CREATED, b""),
            (Kind.CREATED, b"file"),
        ]


def test_entries_are_compared_where_the_directory_is_the_same_one(file: Path) -> None:
    box, now = file.parent, time.time_ns()
    before = PathBelief(True, identity(box), b"file/gone")
    with home() as served:
        args = served, box, Scope.DIRECTORY
        assert kinds(*args, before, now) == [(Kind.DELETED, b"gone")]
        assert kinds(*args, before, 1) == [
            (Kind.DELETED, b"gone"),
            (Kind.CHANGED, b"file"),
        ]
        anew = [(Kind.DELETED, b""), (Kind.CREATED, b""), (Kind.CREATED, b"file")]
        for identified in (None, (1, 2)):
            assert kinds(*args, before._replace(identity=identified), now) == anew
        assert kinds(*args, PathBelief(False), now) == anew[1:]


def test_a_path_that_is_missing_as_before_gives_nothing(tmp_path: Path) -> None:
    for scope in (Scope.FILE, Scope.DIRECTORY):
        with home() as served:
            found = kinds(served, tmp_path / "x", scope, PathBelief(False), 1)
        assert found == []
