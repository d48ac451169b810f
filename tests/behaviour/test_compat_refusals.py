"""Watches that the server refuses, beside those that it has: what programs on watchdog
and watchfiles see.

The server lets each client have one subscription here. Watches beyond that run on the
library's own engine, with one warning for all of them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.waiting import eventually
from testkit.watches import serving

pytest.importorskip("watchdog")
pytest.importorskip("watchfiles")

import watchfiles.main
from watchdog.events import FileCreatedEvent, FileSystemEvent, FileSystemEventHandler

from gamin.compat import settings
from gamin.compat.observer import GaminObserver
from gamin.compat.rust_notify import make_engine


@pytest.fixture(autouse=True)
def server(
    session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    (tmp_path / ".gaminrc").write_text("limit subscriptions 1\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(settings, "_warned", set())
    with serving(session):
        yield


@pytest.fixture
def observer() -> Iterator[GaminObserver]:
    made = GaminObserver()
    made.start()
    yield made
    made.stop()
    made.join()


class Recorder(FileSystemEventHandler):
    def __init__(self) -> None:
        self.seen: list[FileSystemEvent] = []

    def on_any_event(self, event: FileSystemEvent) -> None:
        self.seen.append(event)


def test_watches_that_the_server_refuses_use_inotify_beside_those_that_it_has(
    observer: GaminObserver, tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    handler = Recorder()
    with pytest.warns(RuntimeWarning, match="subscriptions") as warned:
        watches = [observer.schedule(handler, str(folder)) for folder in folders]
    assert len(warned) == 1
    engines = {each.watch: vars(each)["_own"] for each in observer.emitters}
    assert [engines[each] is not None for each in watches] == [False, True, True]
    for folder in folders:
        (folder / "new").touch()
    new = [FileCreatedEvent(str(folder / "new")) for folder in folders]
    eventually(lambda: all(each in handler.seen for each in new), what="new files")


def reported(paths: list[Path]) -> bool:
    """Whether watchfiles, watching these, reports a new file in each."""
    watching = watchfiles.main.watch(*paths, yield_on_timeout=True, rust_timeout=100)
    next(watching)
    new = {str(path / "new") for path in paths}
    for path in new:
        Path(path).write_text("new")
    found: set[str] = set()
    while not new <= found:
        found |= {path for _, path in next(watching)}
    watching.close()
    return True


def test_watches_that_the_server_refuses_use_the_library_s_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = vars(watchfiles.main)["RustNotify"]
    monkeypatch.setattr(watchfiles.main, "RustNotify", make_engine(own))
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    with pytest.warns(RuntimeWarning, match="subscriptions") as warned:
        assert [reported(folders), reported(folders)] == [True, True]
    assert len(warned) == 1
