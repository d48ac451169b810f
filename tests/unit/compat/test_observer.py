"""watchdog's emitter and observer over the service."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from testkit.waiting import eventually
from testkit.watches import aged, kill_server, serving

pytest.importorskip("watchdog")

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirModifiedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileOpenedEvent,
    FileSystemEvent,
    LoggingEventHandler,
)
from watchdog.observers.api import ObservedWatch

from gamin.compat import fallback, hub
from gamin.compat.observer import GaminEmitter, GaminObserver, needs_unreported
from gamin.errors import ServerError
from testkit.observers import Recorder, ending, observing


@pytest.fixture(autouse=True)
def server(session: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fallback, "_warned", set())
    with serving(session):
        yield


class NeedsOpened(Recorder):
    def on_opened(self, event: FileSystemEvent) -> None:
        pass


@pytest.fixture
def observer() -> Iterator[GaminObserver]:
    with observing() as made:
        yield made


def emitted(path: Any, *actions: Any, recursive: bool = True) -> list[FileSystemEvent]:
    """The events of a watch until a last file, named `end`, appears in it."""
    found: queue.Queue[Any] = queue.Queue()
    emitter = GaminEmitter(found, ObservedWatch(path, recursive=recursive))  # type: ignore[arg-type]  # a queue of ours
    emitter.start()
    try:
        for action in actions:
            action()
        Path(os.fsdecode(path), "end").touch()
        events: list[FileSystemEvent] = []
        while not events or os.path.basename(os.fsdecode(events[-1].src_path)) != "end":
            events.append(found.get(timeout=10)[0])
        return events[:-1]
    finally:
        emitter.stop()
        emitter.join()


def test_a_new_file_is_created_modified_and_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "a")
    events = emitted(str(tmp_path), lambda: Path(path).write_text("a"))
    parent = DirModifiedEvent(str(tmp_path))
    seen = [event for event in events if event.src_path == path]
    assert events[:2] == [FileCreatedEvent(path), parent]
    assert FileModifiedEvent(path) in seen
    assert seen[-1] == FileClosedEvent(path)


def test_deleting_and_renaming_report_the_parents_as_modified(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    root = str(tmp_path)
    events = emitted(
        root,
        (tmp_path / "a").unlink,
        lambda: (tmp_path / "b").rename(tmp_path / "sub" / "b"),
    )
    assert events == [
        FileDeletedEvent(f"{root}/a"),
        DirModifiedEvent(root),
        FileMovedEvent(f"{root}/b", f"{root}/sub/b"),
        DirModifiedEvent(root),
        DirModifiedEvent(f"{root}/sub"),
    ]


def test_a_renamed_directory_is_followed_by_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "old" / "deep").mkdir(parents=True)
    root = str(tmp_path)
    events = emitted(root, lambda: (tmp_path / "old").rename(tmp_path / "new"))
    assert events[0] == DirMovedEvent(f"{root}/old", f"{root}/new")
    assert events[-1] == DirMovedEvent(
        f"{root}/old/deep", f"{root}/new/deep", is_synthetic=True
    )


@pytest.mark.parametrize("form", [os.fsencode, lambda path: path + "/"])
def test_paths_are_spelled_as_the_watch_was_given(form: Any, tmp_path: Path) -> None:
    path = form(str(tmp_path))
    events = emitted(path, (tmp_path / "a").mkdir)
    name = b"a" if isinstance(path, bytes) else "a"
    assert events[0] == DirCreatedEvent(os.path.join(path, name))


def test_many_watches_take_few_descriptors(
    observer: GaminObserver, tmp_path: Path
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for number in range(50):
        (tmp_path / f"{number}").mkdir()
        observer.schedule(Recorder(), str(tmp_path / f"{number}"))
    assert len(os.listdir("/proc/self/fd")) - before <= 10


def test_files_written_while_watching_begins_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "old").touch()
    aged(tmp_path / "sub" / "old")

    def open_slowly(*arguments: Any) -> Any:
        # The write is later than the call by more than one tick of the file system.
        began.wait(0.05)
        (tmp_path / "sub" / "early").write_text("early")
        return really_open(*arguments)

    began, really_open = threading.Event(), hub.open_feed
    monkeypatch.setattr(hub, "open_feed", open_slowly)
    early = str(tmp_path / "sub" / "early")
    with observing() as observer:
        recorder = Recorder()
        observer.schedule(recorder, str(tmp_path), recursive=True)
        recorder.until(
            FileCreatedEvent(early, is_synthetic=True),
            FileModifiedEvent(early, is_synthetic=True),
            FileClosedEvent(early, is_synthetic=True),
        )
        (tmp_path / "last").touch()
        recorder.until(FileCreatedEvent(str(tmp_path / "last")))
    assert {str(event.src_path) for event in recorder.seen} == {
        *(str(tmp_path), str(tmp_path / "sub"), early, str(tmp_path / "last"))
    }


def test_a_missing_path_is_an_error_when_it_is_scheduled(
    observer: GaminObserver, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        observer.schedule(Recorder(), str(tmp_path / "missing"))


def test_a_deleted_directory_ends_its_emitter(
    observer: GaminObserver, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    recorder = Recorder()
    observer.schedule(recorder, str(tmp_path / "sub"))
    [emitter] = observer.emitters
    (tmp_path / "sub").rmdir()
    recorder.until(DirDeletedEvent(str(tmp_path / "sub")))
    emitter.join(10)
    assert not emitter.is_alive()


def test_a_handler_of_opens_gets_them_beside_others_of_the_service(
    observer: GaminObserver, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    plain, opened = Recorder(), NeedsOpened()
    observer.schedule(plain, str(tmp_path / "one"))
    observer.schedule(opened, str(tmp_path / "two"))
    (tmp_path / "one" / "a").write_text("a")
    (tmp_path / "two" / "a").write_text("a")
    plain.until(FileClosedEvent(str(tmp_path / "one" / "a")))
    opened.until(FileOpenedEvent(str(tmp_path / "two" / "a")))
    assert not any(isinstance(event, FileOpenedEvent) for event in plain.seen)


def test_a_watch_changes_its_engine_when_a_handler_comes_that_needs_it(
    observer: GaminObserver, tmp_path: Path
) -> None:
    plain, opened = Recorder(), NeedsOpened()
    watch = observer.schedule(plain, str(tmp_path))
    observer.add_handler_for_watch(opened, watch)
    (tmp_path / "a").write_text("a")
    for each in (plain, opened):
        each.until(FileOpenedEvent(str(tmp_path / "a")))


def test_halves_of_renames_are_left_to_the_library(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    recorder = Recorder()
    with observing(generate_full_events=True) as made:
        made.schedule(recorder, str(tmp_path / "tree"))
        (tmp_path / "a").touch()
        (tmp_path / "a").rename(tmp_path / "tree" / "a")
        recorder.until(FileMovedEvent("", str(tmp_path / "tree" / "a")))


def test_an_event_filter_that_names_opens_gets_them(
    observer: GaminObserver, tmp_path: Path
) -> None:
    recorder = Recorder()
    observer.schedule(recorder, str(tmp_path), event_filter=[FileOpenedEvent])
    (tmp_path / "a").write_text("a")
    recorder.until(FileOpenedEvent(str(tmp_path / "a")))


FOLLOWS_LINKS = "follow_symlink" in signature(ObservedWatch).parameters


@pytest.mark.skipif(not FOLLOWS_LINKS, reason="watchdog 6 cannot follow links")
def test_links_are_followed_where_the_program_asks_for_it(
    observer: GaminObserver, tmp_path: Path
) -> None:
    for name in ("plain", "followed", "target"):
        (tmp_path / name).mkdir()
    for name in ("plain", "followed"):
        (tmp_path / name / "link").symlink_to(tmp_path / "target")
    plain, followed = Recorder(), Recorder()
    observer.schedule(plain, str(tmp_path / "plain"), recursive=True)
    observer.schedule(
        followed, str(tmp_path / "followed"), recursive=True, follow_symlink=True
    )
    assert {type(emitter) for emitter in observer.emitters} == {GaminEmitter}
    (tmp_path / "target" / "a").write_text("a")
    (tmp_path / "plain" / "end").touch()
    followed.until(FileClosedEvent(str(tmp_path / "followed" / "link" / "a")))
    plain.until(FileCreatedEvent(str(tmp_path / "plain" / "end")))
    assert str(tmp_path / "plain" / "link" / "a") not in {
        event.src_path for event in plain.seen
    }
    for emitter in observer.emitters:
        emitter.stop()
        emitter.join(10)
        assert not emitter.is_alive()


@pytest.mark.skipif(not FOLLOWS_LINKS, reason="watchdog 6 cannot follow links")
def test_a_watch_that_follows_links_goes_on_without_a_server_too(
    observer: GaminObserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer.schedule(recorder := Recorder(), str(tmp_path), follow_symlink=True)
    goes_on_without_a_server(recorder, tmp_path, monkeypatch)


def test_a_watch_goes_on_by_inotify_if_the_server_is_lost_for_good(
    observer: GaminObserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer.schedule(recorder := Recorder(), str(tmp_path))
    goes_on_without_a_server(recorder, tmp_path, monkeypatch)


def goes_on_without_a_server(
    recorder: Recorder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMIN_DEBUG_SERVER", "/bin/no-such-program")
    wanted = FileCreatedEvent(str(folder / "a"))

    def is_reported() -> bool:
        (folder / "a").unlink(missing_ok=True)
        (folder / "a").touch()
        return wanted in recorder.seen

    def lose_the_server() -> None:
        kill_server()  # a thread may warn before this returns
        eventually(is_reported)

    with pytest.warns(RuntimeWarning, match="watches files by itself") as warned:
        lose_the_server()
    assert [each.filename for each in warned] == [__file__]


def test_only_methods_of_the_program_count_as_needs() -> None:
    assert needs_unreported(NeedsOpened())
    assert not needs_unreported(LoggingEventHandler())
    assert not needs_unreported(object())
    assigned = Recorder()
    assigned.on_opened = print  # type: ignore[method-assign, assignment]  # on purpose
    assert needs_unreported(assigned)


def test_without_a_server_inotify_is_used_with_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMIN_DEBUG_SERVER", "/bin/no-such-program")
    monkeypatch.setenv("GAM_CLIENT_ID", "nobody-serves-this")
    recorder = Recorder()
    with ending(GaminObserver()) as made:
        made.schedule(recorder, str(tmp_path))
        with pytest.warns(RuntimeWarning, match="watches files by itself") as warned:
            made.start()
        assert [each.filename for each in warned] == [__file__]
        (tmp_path / "a").write_text("a")
        recorder.until(FileClosedEvent(str(tmp_path / "a")))


def test_only_the_first_watch_waits_for_a_server_that_does_not_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def connect(*_: object, **__: object) -> None:
        attempts.append(1)
        raise ServerError

    with ending(GaminObserver()) as made:
        for name in "abc":
            (tmp_path / name).mkdir()
            made.schedule(Recorder(), str(tmp_path / name))
        with monkeypatch.context() as patched:
            patched.setattr("gamin.client.connect._connect", connect)
            with pytest.warns(RuntimeWarning):
                made.start()
    assert len(attempts) == 1


NAMES = """
import watchdog.observers, watchdog.observers.inotify as inotify
import watchdog.observers.polling as polling
print(watchdog.observers.Observer.__name__, inotify.InotifyEmitter.__name__)
print(polling.PollingObserver.__name__)
"""


def names(before: str, **environ: str) -> list[str]:
    command = [sys.executable, "-I", "-c", before + "\n" + NAMES]
    return subprocess.check_output(command, text=True, env=environ).split()


INSTALL = "import gamin.compat; gamin.compat.install('watchdog')"


@pytest.mark.parametrize(
    "before",
    [
        INSTALL,
        f"import watchdog.observers; {INSTALL}",
        f"{INSTALL}; from gamin.compat.watchdog import Observer",
    ],
)
def test_the_names_of_the_library_are_replaced(before: str) -> None:
    assert names(before) == ["GaminObserver", "GaminEmitter", "PollingObserver"]


def test_polling_observers_are_replaced_only_when_asked() -> None:
    replaced = names(INSTALL, GAMIN_POLLING_TOO="1")
    assert replaced[2] == "GaminPollingObserver"


def test_importing_our_observer_replaces_nothing() -> None:
    line = "from gamin.compat.watchdog import Observer"
    assert names(line)[:2] == ["InotifyObserver", "InotifyEmitter"]


def test_a_module_that_imported_the_observer_before_is_named_in_a_warning() -> None:
    code = f"from watchdog.observers import Observer; {INSTALL}; "
    code += "print(gamin.compat.status()['watchdog'])"
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "RuntimeWarning" in done.stderr
    assert "__main__ imported it before" in done.stderr
    assert done.stdout == "gamin, but not in __main__\n"
