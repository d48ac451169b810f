"""The fast way to list a tree gives what the general one does."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gamin.config.client_limits import ClientLimits
from gamin.core.model.node import FILE, Node
from gamin.daemon.sessions.watchman import plain_listing
from gamin.daemon.sessions.watchman.plain_listing import PlainListing, _with_endings
from gamin.protocol.watchman.codec import pdu
from gamin.protocol.watchman.query.selection import Selection
from testkit.sessions import WatchmanPeer

QUERIES: list[dict[str, object]] = [
    {"fields": ["name"]},
    {},
    {"fields": ["mode", "mtime", "size", "exists", "name"]},
    {"fields": ["name", "new", "ino", "mtime_ms", "ctime_ns"]},
    {"fields": ["exists", "name"]},
    {"fields": ["name"], "suffix": "c"},
    {"suffix": ["c", "TXT"]},
    {"fields": ["name"], "suffix": "nothing"},
    {"fields": ["name"], "suffix": "c/deep"},
    {"fields": ["name"], "suffix": ["b/last", "c"]},
    {"fields": ["name"], "suffix": "b/last"},
    {"fields": ["name"], "expression": ["suffix", "c/deep.c"]},
    {"fields": ["name"], "glob": ["sub.c//**"], "glob_includedotfiles": True},
    {"fields": ["name"], "expression": ["not", ["dirname", ".git"]]},
    {"since": "c:0:0", "expression": ["not", ["name", ".git", "wholename"]]},
    {"expression": ["allof", ["type", "f"], ["suffix", ["c", "txt"]]]},
    {"fields": ["name"], "expression": ["type", "f"]},
    {"fields": ["name", "type", "size"], "expression": ["not", ["type", "f"]]},
    {"fields": ["name"], "expression": ["anyof", ["type", "l"], ["type", "d"]]},
    {"expression": ["anyof", ["allof", ["type", "f"], ["suffix", "C"]], ["type", "l"]]},
    {"fields": ["name", "type"], "relative_root": "sub.c"},
    {"fields": ["name"], "relative_root": "nowhere"},
    {"fields": ["name"], "glob": ["*.c", "sub.c/**"], "glob_includedotfiles": True},
    {"fields": ["name"], "glob": ["**/*.C"], "case_sensitive": False},
    {"fields": ["name"], "glob": ["d*p.c"], "relative_root": "sub.c"},
    {"fields": ["name"], "glob": ["*.c"], "relative_root": "a.c"},
    {"fields": ["name"], "path": [{"path": "", "depth": 0}, "sub.c"]},
    {"fields": ["name"], "path": ["a.c", "empty"]},
    {"fields": ["name"], "suffix": "c", "glob": ["*"], "path": ["empty"]},
    {"fields": ["name"], "suffix": "c", "expression": ["match", "s*/*", "wholename"]},
    {"fields": ["name"], "expression": ["size", "gt", 3]},
]
NAMES = (
    "a.c",
    "B.C",
    ".c",
    "c",
    'q"\\\n.c',
    "ü.txt",
    "sub.c/deep.c",
    "empty/.keep",
    "joined/a.b",
    "joined/last",
)


@pytest.fixture
def root(peer: WatchmanPeer, tmp_path: Path) -> str:
    for name in (*NAMES, ".git/config", ".git/objects/ab/cd.c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.c")).touch()
    (tmp_path / "bare").mkdir()
    (tmp_path / "link").symlink_to("a.c")
    os.mkfifo(tmp_path / "empty/pipe")
    peer.ask("watch", str(tmp_path))
    return str(tmp_path)


def ordered(answer: dict[str, Any]) -> dict[str, Any]:
    """Without the clock: another process may do something meanwhile."""
    if "error" in answer:
        return {"error": answer["error"]}
    files = sorted(answer["files"], key=repr)
    return {**answer, "files": files, "clock": "", "version": ""}


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_the_answer_is_that_of_the_general_way(
    query: dict[str, object],
    peer: WatchmanPeer,
    root: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fast = peer.ask("query", root, query)
    monkeypatch.setattr(PlainListing, "can_answer", lambda *_: False)
    assert ordered(peer.ask("query", root, query)) == ordered(fast)


@pytest.mark.parametrize("encoding", ["bser", "bser-v2"])
@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_every_encoding_says_the_same(
    query: dict[str, object], encoding: str, peer: WatchmanPeer, root: str
) -> None:
    expected = peer.ask("query", root, query)
    assert PlainListing.can_answer(
        peer.home.watchman.roots.all[0], _parsed(query), peer.session.codec
    )
    peer.send(pdu.ENCODINGS[encoding].encode(["query", root, query]))
    data = bytearray()

    def whole() -> bool:
        data.extend(peer.read())
        return len(data) > 20 and pdu.end_of(data) is not None

    peer.home.run_until(whole)
    answer: Any = pdu.decode(bytes(data))
    assert ordered(answer) == ordered(expected)


@pytest.mark.parametrize(
    ("query", "is_fast"),
    [
        ({"expression": ["allof", ["type", "f"], ["suffix", "c"]]}, True),
        ({"glob": ["**/*.c"]}, True),
        ({"path": ["empty"]}, True),
        ({"path": ["a.c"]}, False),
        ({"expression": ["size", "gt", 3]}, False),
        ({"expression": ["not", ["since", "c:0:0"]]}, False),
        ({"expression": ["anyof", "empty", "exists"]}, False),
    ],
    ids=str,
)
def test_what_is_about_names_and_types_is_found_by_the_directory(
    query: dict[str, object], is_fast: bool, peer: WatchmanPeer, root: str
) -> None:
    made = peer.home.watchman.roots.all[0]
    plain = PlainListing(made, _parsed(query), peer.session.codec)
    results: list[bool] = []

    def find() -> Iterator[object]:
        results.append((yield from plain.find()))

    for _ in find():
        pass
    assert results == [is_fast]
    assert (plain.count > 0) is is_fast


def test_a_suffix_with_a_slash_does_not_join_two_names() -> None:
    selection = Selection(suffixes=(b"a/b",))
    assert selection.endings is not None
    assert _with_endings(b"x.a/b", selection.endings) == []
    assert _with_endings(b"x.a/b.A", (b".a",)) == [b"x.a", b"b.A"]


@pytest.mark.parametrize("is_packed", [True, False])
@pytest.mark.parametrize("endings", [[], ["c"], ["c", "h"]], ids=str)
def test_a_large_directory_is_looked_through_in_parts(
    endings: list[str],
    is_packed: bool,
    peer: WatchmanPeer,
    root: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Others get their turn between two parts, also where a part has no such name."""
    monkeypatch.setattr(plain_listing, "NAMES_PER_PART", 10)
    monkeypatch.setattr(plain_listing, "PACKED_PER_PART", 10)
    query: dict[str, object] = {"fields": ["name"]}
    if endings:
        query["suffix"] = endings
    [watched] = peer.home.watchman.roots.all
    listing = PlainListing(watched, _parsed(query), peer.session.codec)
    names = [b"%02d.%b" % (number, b"ch"[number > 50 :][:1]) for number in range(99)]
    node = Node(None, b"")
    node.names = dict.fromkeys(names, FILE)
    node.listed = True
    if is_packed:
        node.pack_names()
    parts = list(listing._names_in(node))
    last = tuple(ending.encode() for ending in endings) or (b"",)
    wanted = [name for name in names if name.endswith(last)]
    assert [name for part, _ in parts for name in part] == wanted
    assert max(len(part) for part, _ in parts) <= 10
    assert listing._filter is not None
    steps = len(list(listing._add(node, listing._filter)))
    assert steps >= len(parts) - 1 > 3
    assert listing.count == len(wanted)


def test_a_query_that_is_too_expensive_is_refused(
    peer: WatchmanPeer, root: str
) -> None:
    peer.home.service.limit(ClientLimits(query_price=1000))
    terms = [["name", f"x{number}"] for number in range(500)]
    reply = peer.ask("query", root, {"expression": ["anyof", *terms]})
    assert "it is too expensive" in reply["error"]


def test_only_files_that_a_generator_may_find_are_paid_for(
    peer: WatchmanPeer, root: str
) -> None:
    for number in range(600):
        Path(root, f"{number}.txt").touch()
    peer.home.service.limit(ClientLimits(query_price=1000))
    query: dict[str, object] = {"fields": ["name"], "glob": ["*.[c]", "*.c", "*.C"]}
    assert "it is too expensive" in peer.ask("query", root, query)["error"]
    query["glob"] = ["*.c", "*.C"]
    assert set(peer.ask("query", root, query)["files"]) >= {"a.c", "B.C"}
    query = {"fields": ["name"], "suffix": ["c", "h"], "expression": ["type", "f"]}
    assert "joined/a.b" not in peer.ask("query", root, query)["files"]


def _parsed(query: dict[str, object]) -> Any:
    from gamin.protocol.watchman.query.query import parse_query

    return parse_query(query)


@pytest.mark.parametrize(
    "query",
    [
        {"fields": ["name", "oclock"]},
        {"fields": ["size"]},
        {"since": "n:cursor"},
        {"empty_on_fresh_instance": True},
    ],
    ids=str,
)
def test_other_questions_are_answered_in_the_general_way(
    query: dict[str, object], peer: WatchmanPeer, root: str
) -> None:
    made = peer.home.watchman.roots.all[0]
    assert not PlainListing.can_answer(made, _parsed(query), peer.session.codec)


def test_what_happens_meanwhile_is_in_the_answer(
    peer: WatchmanPeer, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    general = PlainListing._names_in

    def slow(self: PlainListing, node: Node) -> Any:
        Path(root, "meanwhile").touch()
        peer.home.service.drive.synchronise()
        return general(self, node)

    monkeypatch.setattr(PlainListing, "_names_in", slow)
    assert "meanwhile" in peer.ask("query", root, {"fields": ["name"]})["files"]


def test_a_file_that_goes_meanwhile_is_gone_after_the_clock_of_the_answer(
    peer: WatchmanPeer, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    general = PlainListing._names_in

    def slow(self: PlainListing, node: Node) -> Any:
        names = general(self, node)
        Path(root, "a.c").unlink(missing_ok=True)
        return names

    monkeypatch.setattr(PlainListing, "_names_in", slow)
    query = {"fields": ["name", "exists", "size"]}
    first = peer.ask("query", root, query)
    listed = {row["name"] for row in first["files"]}
    later = peer.ask("query", root, {**query, "since": first["clock"]})
    gone = {row["name"] for row in later["files"] if not row["exists"]}
    assert ("a.c" in listed) is ("a.c" in gone)
    assert "B.C" in listed


def test_directories_that_are_ignored_send_the_question_the_general_way(
    peer: WatchmanPeer, root: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "out").mkdir()
    (other / ".watchmanconfig").write_text('{"ignore_dirs": ["out"]}')
    peer.ask("watch", str(other))
    answer = peer.ask("query", str(other), {"fields": ["name"]})
    assert answer["files"] == [".watchmanconfig"]
