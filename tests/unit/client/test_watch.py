"""`gamin.watch` and a real server."""

import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import gamin
from gamin import Watch
from gamin.client.arguments import make_session
from gamin.client.connect import connect_watchman
from gamin.protocol.watchman.client.watched_path import WatchOptions
from testkit.watches import (
    SOON,
    changed,
    created,
    deleted,
    exists,
    kill_server,
    moved,
    signal_server,
    until,
)


def test_what_happens_to_a_file_is_told(watch: Watch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert next(watch) == [created(file)]
    file.write_text("text")
    assert next(watch) == [changed(file)]
    file.unlink()
    assert next(watch) == [deleted(file)]


def test_a_rename_is_one_event_with_both_names(watch: Watch, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    assert next(watch) == [created(folder, is_dir=True)]
    folder.rename(tmp_path / "other")
    assert next(watch) == [moved(folder, tmp_path / "other", is_dir=True)]


def test_a_new_tree_is_told_whole(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/b/c/file").touch()
    until(
        watch,
        created(tmp_path / "a", is_dir=True),
        created(tmp_path / "a/b", is_dir=True),
        created(tmp_path / "a/b/c", is_dir=True),
        created(tmp_path / "a/b/c/file"),
    )


def test_names_of_all_sorts_are_told(watch: Watch, tmp_path: Path) -> None:
    for name in (b"two\nlines", b"\xff\xfe", b'quo"te\\', "æ€𝄞".encode()):
        path = Path(os.fsdecode(bytes(tmp_path) + b"/" + name))
        path.touch()
        assert next(watch) == [created(path)]


@pytest.mark.usefixtures("server")
def test_not_recursive_is_the_entries_only(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with gamin.watch(tmp_path, recursive=False, timeout=SOON) as watch:
        (tmp_path / "folder/deep").touch()
        (tmp_path / "file").touch()
        assert created(tmp_path / "folder/deep") not in until(
            watch, created(tmp_path / "file")
        )


@pytest.mark.usefixtures("server")
def test_not_recursive_still_knows_directories(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with gamin.watch(tmp_path, recursive=False, initial=True, timeout=SOON) as watch:
        assert next(watch) == [exists(tmp_path / "folder", is_dir=True)]


@pytest.mark.usefixtures("server")
def test_a_single_file_is_watched(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with gamin.watch(file, initial=True, timeout=SOON) as watch:
        assert next(watch) == [exists(file)]
        (tmp_path / "other").touch()
        file.write_text("text")
        assert next(watch) == [changed(file)]
        file.unlink()
        assert next(watch) == [deleted(file)]


@pytest.mark.usefixtures("server")
def test_a_missing_path_is_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "not/yet"
    with gamin.watch(folder, timeout=SOON) as watch:
        folder.mkdir(parents=True)
        (folder / "file").touch()
        until(watch, created(folder, is_dir=True), created(folder / "file"))


@pytest.mark.usefixtures("server")
def test_a_relative_path_is_seen_from_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    with gamin.watch("a/../b", b"./a", timeout=SOON) as watch:
        (tmp_path / "b").touch()
        (tmp_path / "a/file").touch()
        until(watch, created(tmp_path / "b"), created(tmp_path / "a/file"))


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("ignore", [["*.o"], "*.o"])
def test_what_is_ignored_is_not_told(ignore: list[str] | str, tmp_path: Path) -> None:
    with gamin.watch(tmp_path, ignore=ignore, timeout=SOON) as watch:
        (tmp_path / "a.o").touch()
        (tmp_path / "a.c").touch()
        assert next(watch) == [created(tmp_path / "a.c")]


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("vcs_ignore", [True, False])
def test_what_git_ignores_is_told_unless_asked_not_to(
    vcs_ignore: bool, tmp_path: Path
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("build\n")
    (tmp_path / "build").mkdir()
    with gamin.watch(tmp_path, vcs_ignore=vcs_ignore, timeout=SOON) as watch:
        (tmp_path / "build/a.o").touch()
        (tmp_path / "a.c").touch()
        reported = until(watch, created(tmp_path / "a.c"))
        assert (created(tmp_path / "build/a.o") in reported) is not vcs_ignore


@pytest.mark.usefixtures("server")
def test_initial_tells_what_is_there_parents_first(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").touch()
    with gamin.watch(tmp_path, initial=True, timeout=SOON) as watch:
        assert watch.clock is None
        assert next(watch) == [
            exists(tmp_path / "a", is_dir=True),
            exists(tmp_path / "a/b", is_dir=True),
            exists(tmp_path / "a/b/file"),
        ]
        assert watch.clock is not None


@pytest.mark.usefixtures("server")
def test_a_watch_that_goes_on_is_told_exactly_the_difference(tmp_path: Path) -> None:
    other = tmp_path / "other"
    for name in ("kept", "changed", "gone", "before"):
        (tmp_path / name).touch()
    with gamin.watch(tmp_path, other, timeout=SOON) as watch:
        (tmp_path / "before").unlink()
        assert next(watch) == [deleted(tmp_path / "before")]
    (tmp_path / "changed").write_text("text")
    (tmp_path / "gone").unlink()
    (tmp_path / "new").touch()
    with gamin.watch(tmp_path, other, since=watch.clock, timeout=SOON) as again:
        assert next(again) == [
            changed(tmp_path / "changed"),
            deleted(tmp_path / "gone"),
            created(tmp_path / "new"),
        ]
        (tmp_path / "last").touch()
        assert next(again) == [created(tmp_path / "last")]


def test_the_clock_is_that_of_the_last_batch_yielded(
    watch: Watch, tmp_path: Path
) -> None:
    with gamin.watch(tmp_path, timeout=SOON) as other:
        for name in ("a", "b"):
            (tmp_path / name).touch()
            assert next(other) == [created(tmp_path / name)]
    # Both batches are on their way to `watch` by now, perhaps in one piece.
    assert next(watch) == [created(tmp_path / "a")]
    with gamin.watch(tmp_path, since=watch.clock, timeout=SOON) as again:
        assert next(again) == [created(tmp_path / "b")]


@pytest.mark.usefixtures("server")
def test_silence_is_an_error_when_it_lasts_and_the_watch_goes_on(
    tmp_path: Path,
) -> None:
    with gamin.watch(tmp_path, timeout=0.2) as watch:
        with pytest.raises(TimeoutError, match=r"nothing happened for 0\.2 s"):
            next(watch)
        (tmp_path / "file").touch()
        assert next(watch) == [created(tmp_path / "file")]


@pytest.mark.usefixtures("server")
def test_every_thread_can_watch(tmp_path: Path) -> None:
    ready = threading.Barrier(9)

    def work(_: int) -> list[gamin.Event]:
        with gamin.watch(tmp_path, timeout=SOON) as watch:
            ready.wait()
            return next(watch)

    with ThreadPoolExecutor(8) as threads:
        working = [threads.submit(work, number) for number in range(8)]
        ready.wait()
        (tmp_path / "file").touch()
        assert [one.result() for one in working] == [[created(tmp_path / "file")]] * 8


@pytest.mark.usefixtures("server")
def test_another_thread_may_close(tmp_path: Path) -> None:
    with gamin.watch(tmp_path) as watch, ThreadPoolExecutor(1) as thread:
        iterating = thread.submit(list, watch)
        (tmp_path / "file").touch()
        watch.close()
        assert iterating.result(SOON) in ([], [[created(tmp_path / "file")]])
        watch.close()
        assert list(watch) == [], "it stays closed"
        assert repr(watch) == "<Watch of gamin, closed>"


@pytest.mark.usefixtures("server")
def test_a_signal_handler_may_close(tmp_path: Path) -> None:
    with gamin.watch(tmp_path) as watch:
        before = signal.signal(signal.SIGALRM, lambda *_: watch.close())
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            assert list(watch) == []
        finally:
            signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("server")
def test_a_stop_event_ends_the_iteration(tmp_path: Path) -> None:
    stop = threading.Event()
    with gamin.watch(tmp_path, stop_event=stop) as watch:
        (tmp_path / "file").touch()
        for batch in watch:
            assert batch == [created(tmp_path / "file")]
            threading.Timer(0.05, stop.set).start()
    with gamin.watch(tmp_path, stop_event=stop) as watch:
        assert list(watch) == []


@pytest.mark.usefixtures("server")
def test_nothing_stays_open(tmp_path: Path) -> None:
    gamin.watch(tmp_path).close()
    before = os.listdir("/proc/self/fd")
    gamin.watch(tmp_path).close()
    with pytest.raises(gamin.WatchRefused):
        gamin.watch(tmp_path, settle=-1)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.usefixtures("server")
def test_a_forgotten_watch_is_a_resource_warning(tmp_path: Path) -> None:
    watch = gamin.watch(tmp_path)
    with pytest.warns(ResourceWarning, match="unclosed <Watch"):
        del watch


def test_what_cannot_be_watched_is_refused_before_anything_starts() -> None:
    with pytest.raises(ValueError, match="no path"):
        gamin.watch()
    with pytest.raises(gamin.InvalidPath, match="empty"):
        gamin.watch("")
    with pytest.raises(gamin.InvalidPath, match="NUL"):
        gamin.watch("/a\0b")
    with pytest.raises(gamin.InvalidPath, match="4095"):
        gamin.watch("/a" * 3000)
    with pytest.raises(ValueError, match="1 clocks for 2 paths"):
        gamin.watch("/a", "/b", since="c:1:2:3:4")


def test_servers_that_hang_up_every_time_are_an_error() -> None:
    met: list[socket.socket] = []

    def connect() -> socket.socket:
        ours, theirs = socket.socketpair()
        theirs.close()
        met.append(ours)
        return ours

    with pytest.raises(gamin.ServerUnstable, match="5 connections"):
        Watch(make_session(["/a"], WatchOptions(), None), connect=connect)
    assert len(met) == 5
    assert all(connected.fileno() == -1 for connected in met)


@pytest.mark.usefixtures("server")
def test_thousands_of_paths_can_be_asked_for_at_once(tmp_path: Path) -> None:
    paths = [tmp_path / f"{'long' * 50}-{number}" for number in range(2000)]
    with gamin.watch(*paths, timeout=SOON) as watch:
        paths[-1].touch()
        assert next(watch) == [created(paths[-1])]


@pytest.mark.usefixtures("server")
def test_waiting_takes_no_time_of_the_processor(tmp_path: Path) -> None:
    with gamin.watch(tmp_path, timeout=0.3) as watch:
        before = time.thread_time()
        with pytest.raises(gamin.WatchTimeout):
            next(watch)
        assert time.thread_time() - before < 0.1


@pytest.mark.usefixtures("server")
def test_a_timeout_of_zero_takes_what_has_arrived_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with gamin.watch(tmp_path, initial=True, timeout=0) as watch:
        assert next(watch) == [exists(tmp_path / "file")]
        with pytest.raises(gamin.WatchTimeout):
            next(watch)


@pytest.mark.usefixtures("own_server")
def test_a_watch_is_catching_up_until_what_it_missed_was_yielded(
    tmp_path: Path,
) -> None:
    seen: list[bool] = []

    def connect() -> socket.socket:
        seen.append(opened.catching_up)
        return connect_watchman()

    session = make_session([tmp_path], WatchOptions(), None)
    with Watch(session, timeout=SOON) as opened:
        assert not opened.catching_up
        opened._driver._connect = connect
        kill_server()
        (tmp_path / "file").touch()
        assert next(opened) == [created(tmp_path / "file", recovered=True)]
        assert seen == [True]
        assert not opened.catching_up


@pytest.mark.usefixtures("own_server")
def test_a_stopped_server_is_an_error_as_in_the_original_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gamin.watch(tmp_path).close()
    signal_server(signal.SIGSTOP)
    try:
        with monkeypatch.context() as patch:
            patch.setattr("gamin.client.driver.ANSWER_PATIENCE", 0.2)
            with pytest.raises(gamin.ServerUnresponsive, match="does not answer"):
                gamin.watch(tmp_path)
    finally:
        signal_server(signal.SIGCONT)
    gamin.watch(tmp_path).close()
