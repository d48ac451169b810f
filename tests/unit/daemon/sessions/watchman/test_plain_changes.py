"""The fast way to say what changed gives what the general one does."""

import os
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from gamin.config.client_limits import ClientLimits
from gamin.daemon.sessions.watchman.plain_changes import ROWS_PER_STEP, PlainChanges
from gamin.protocol.watchman.query.query import parse_query
from testkit.sessions import WatchmanPeer

QUERIES: list[dict[str, object]] = [
    {"fields": ["name"]},
    {},
    {"fields": ["name", "exists"]},
    {"fields": ["name", "new", "type", "mtime_ns"]},
    {"fields": ["name"], "expression": ["not", ["dirname", ".git"]]},
    {"expression": ["allof", ["type", "f"], ["suffix", ["c", "txt"]]]},
    {"expression": ["anyof", ["allof", ["type", "f"], ["suffix", "c"]], ["type", "l"]]},
    {"fields": ["name"], "expression": ["type", "d"]},
    {"fields": ["name", "exists"], "relative_root": "sub"},
    {"fields": ["name"], "relative_root": "sub", "expression": ["name", "deep.c"]},
    {"fields": ["name"], "expression": ["anyof", ["size", "gt", 3], ["suffix", "c"]]},
    {"fields": ["name"], "expression": "false"},
    {"fields": ["name", "exists"], "expression": "exists"},
    {"fields": ["name", "exists"], "expression": ["not", ["exists"]]},
    {"fields": ["name", "exists", "type"], "expression": ["type", "f"]},
    {"expression": ["allof", "exists", ["not", ["type", "d"]]]},
    {"fields": ["name", "exists"], "empty_on_fresh_instance": True},
]


@pytest.fixture
def root(peer: WatchmanPeer, tmp_path: Path) -> Path:
    for name in (
        "a.c",
        "b.txt",
        "sub/deep.c",
        "sub/gone",
        "old/inner/x.c",
        ".git/HEAD",
        "kinds/file",
        "kinds/directory/x",
        "gone/was_directory/x",
        "gone/was_file",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    peer.ask("watch", str(tmp_path))
    return tmp_path


def change(root: Path) -> None:
    (root / "a.c").write_text("longer than before")
    (root / "new.c").touch()
    (root / "link").symlink_to("a.c")
    (root / "sub/gone").unlink()
    (root / "sub/made").mkdir()
    Path(os.fsdecode(os.fsencode(root) + b"/sub/made/\xff.c")).touch()
    (root / "old").rename(root / "renamed")
    (root / ".git/index").touch()
    (root / "brief").touch()
    (root / "brief").unlink()
    # Names that were those of something else.
    (root / "kinds/file").unlink()
    (root / "kinds/file").mkdir()
    (root / "kinds/directory").rename(root / "kinds/elsewhere")
    (root / "kinds/directory").touch()
    (root / "gone").rename(root / "moved")
    (root / "gone").mkdir()
    (root / "gone/was_directory").touch()
    (root / "gone/was_file").mkdir()


def ordered(answer: dict[str, Any]) -> dict[str, Any]:
    """Without the clock: another process may do something meanwhile."""
    return {**answer, "files": sorted(answer["files"], key=repr), "clock": ""}


def fast_answer(
    peer: WatchmanPeer, root: Path, query: dict[str, object]
) -> tuple[bool, int]:
    """Whether the fast way could answer, and with how many rows."""
    [made] = peer.home.watchman.roots.all
    plain = PlainChanges(made, parse_query(query), peer.session.codec)
    results: list[bool] = []

    def find() -> Iterator[object]:
        results.append((yield from plain.find()))

    for _ in find():
        pass
    return results[0], plain.count


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_the_answer_is_that_of_the_general_way(
    query: dict[str, object],
    peer: WatchmanPeer,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peer.ask("query", str(root), {})  # so that the last status of files is known
    since = peer.ask("clock", str(root))["clock"]
    change(root)
    query = {**query, "since": since}
    [made] = peer.home.watchman.roots.all
    known = deepcopy(made.last_stats)
    fast = peer.ask("query", str(root), query)
    assert fast["is_fresh_instance"] is False
    made.last_stats = known
    monkeypatch.setattr(PlainChanges, "can_answer", lambda *_: False)
    general = peer.ask("query", str(root), query)
    assert ordered(fast) == ordered(general)


def test_a_file_in_the_place_of_a_directory_is_found_as_a_file(
    peer: WatchmanPeer, root: Path
) -> None:
    query: dict[str, object] = {"fields": ["name", "exists"], "relative_root": "gone"}
    query["since"] = peer.ask("clock", str(root))["clock"]
    change(root)
    files = peer.ask("query", str(root), {**query, "expression": ["type", "f"]})
    directories = peer.ask("query", str(root), {**query, "expression": ["type", "d"]})
    made, gone = {"exists": True}, {"exists": False}
    assert sorted(files["files"], key=repr) == [
        {"name": "was_directory", **made},
        {"name": "was_directory/x", **gone},
        {"name": "was_file", **gone},
    ]
    assert sorted(directories["files"], key=repr) == [
        {"name": "was_directory", **gone},
        {"name": "was_file", **made},
    ]


def test_what_is_about_names_and_types_is_found_by_the_directory(
    peer: WatchmanPeer, root: Path
) -> None:
    since = peer.ask("clock", str(root))["clock"]
    change(root)
    peer.ask("clock", str(root))
    asked = {"fields": ["name"], "since": since}
    is_fast, count = fast_answer(peer, root, {**asked, "expression": ["suffix", "c"]})
    assert is_fast
    assert count > 0
    is_fast, count = fast_answer(peer, root, {**asked, "expression": "empty"})
    assert (is_fast, count) == (False, 0)
    stale = {**asked, "since": "c:1:2:3:4"}
    assert fast_answer(peer, root, stale) == (False, 0)


@pytest.mark.parametrize(
    "query",
    [{"since": "n:cursor"}, {"since": 12}, {}, {"since": "c:1:2:3:4", "suffix": "c"}],
    ids=str,
)
def test_other_questions_are_answered_in_the_general_way(
    query: dict[str, object], peer: WatchmanPeer, root: Path
) -> None:
    [made] = peer.home.watchman.roots.all
    assert not PlainChanges.can_answer(made, parse_query(query), peer.session.codec)


def test_what_happens_meanwhile_is_in_the_answer(
    peer: WatchmanPeer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    general = PlainChanges._parts

    def slow(self: PlainChanges, *arguments: Any) -> Iterator[Any]:
        (root / "meanwhile").touch()
        peer.home.service.drive.synchronise()
        return general(self, *arguments)

    since = peer.ask("clock", str(root))["clock"]
    change(root)
    monkeypatch.setattr(PlainChanges, "_parts", slow)
    query = {"fields": ["name"], "since": since}
    assert "meanwhile" in peer.ask("query", str(root), query)["files"]


def test_a_file_that_goes_meanwhile_is_found_in_the_general_way(
    peer: WatchmanPeer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    general = PlainChanges._add

    def slow(self: PlainChanges, *arguments: Any) -> None:
        (root / "a.c").unlink(missing_ok=True)
        general(self, *arguments)

    since = peer.ask("clock", str(root))["clock"]
    change(root)
    monkeypatch.setattr(PlainChanges, "_add", slow)
    query = {"fields": ["name", "exists", "size"], "since": since}
    answer = peer.ask("query", str(root), query)
    later = peer.ask("query", str(root), {**query, "since": answer["clock"]})
    rows = [*answer["files"], *later["files"]]
    assert [row["exists"] for row in rows if row["name"] == "a.c"][-1] is False


def test_others_get_their_turn_whatever_a_filter_leaves_out(
    peer: WatchmanPeer, root: Path
) -> None:
    since = peer.ask("clock", str(root))["clock"]
    for number in range(3 * ROWS_PER_STEP):
        (root / f"{number}").touch()
    peer.ask("clock", str(root))
    [made] = peer.home.watchman.roots.all

    def turns(query: dict[str, object]) -> int:
        given = parse_query({"fields": ["name"], "since": since, **query})
        return len(list(PlainChanges(made, given, peer.session.codec).find()))

    assert turns({"expression": "false"}) == turns({}) >= 4


def test_a_query_that_is_too_expensive_is_refused(
    peer: WatchmanPeer, root: Path
) -> None:
    since = peer.ask("clock", str(root))["clock"]
    change(root)
    peer.home.service.limit(ClientLimits(query_price=1000))
    terms = [["name", f"x{number}"] for number in range(500)]
    query = {"since": since, "expression": ["anyof", *terms]}
    assert "it is too expensive" in peer.ask("query", str(root), query)["error"]
