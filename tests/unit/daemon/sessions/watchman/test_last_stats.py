"""The last status of files, of a bounded number of them."""

import os
from pathlib import Path

import pytest

from gamin.daemon.sessions.watchman import last_stats
from gamin.daemon.sessions.watchman.last_stats import LastStats
from testkit.sessions import home

STATUS = os.stat("/")
LATER = os.stat("/proc")


def test_the_status_of_a_path_is_the_last_one() -> None:
    last = LastStats()
    last.keep(b"/d/a", STATUS)
    last.keep_some(b"/d/", [b"b", b"c"], [STATUS, STATUS])
    last.keep(b"/d/b", LATER)
    last.keep_some(b"/d/", [b"a"], [LATER])
    known = [last.of(b"/d/" + name) for name in (b"a", b"b", b"c")]
    assert known == [LATER, LATER, STATUS]
    assert last.of(b"/d/d") is None
    assert last.of(b"/other/a") is None


def test_the_status_of_files_in_the_top_directory_is_kept() -> None:
    last = LastStats()
    last.keep_some(b"/", [b"etc"], [STATUS])
    last.keep(b"/usr", LATER)
    assert last.of(b"/etc") is STATUS
    assert last.of(b"/usr") is LATER


def test_all_is_forgotten_for_one_more_file_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(last_stats, "MAX_STATS", 2)
    last = LastStats()
    for path in (b"/a", b"/d/b", b"/d/b", b"/d/c"):
        last.keep(path, STATUS)
    known = [last.of(path) is STATUS for path in (b"/a", b"/d/b", b"/d/c")]
    assert known == [False, False, True]


def test_no_status_is_out_of_date_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(last_stats, "MAX_STATS", 2)
    last, names = LastStats(), [b"a", b"b", b"c"]
    last.keep_some(b"/d/", names[:2], [STATUS] * 2)
    last.keep_some(b"/d/", names, [LATER] * 3)
    last.keep_some(b"/e/", names, [LATER] * 3)
    assert [last.of(b"/d/" + name) for name in names] == [LATER, LATER, None]
    assert last.of(b"/e/a") is None


def test_a_deleted_file_has_the_size_that_was_seen_last_when_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_stats, "MAX_STATS", 2)
    query: dict[str, object] = {"fields": ["name", "size"]}
    with home() as server:
        peer = server.watcher()
        for text in ("1", "1234567"):
            for name in "abcd":
                (tmp_path / name).write_text(text)
            peer.ask("watch", str(tmp_path))
            clock = peer.ask("query", str(tmp_path), query)["clock"]
        for name in "abcd":
            (tmp_path / name).unlink()
        gone = peer.ask("query", str(tmp_path), {**query, "since": clock})["files"]
    assert {row["size"] for row in gone if row["name"]} <= {0, 7}
