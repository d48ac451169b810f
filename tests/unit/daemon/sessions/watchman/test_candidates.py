"""Where a query walks: everything its generators find, and few other directories."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.core.model.subscription import Scope
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman.candidates import candidates
from gamin.daemon.sessions.watchman.ignore_files import WatchmanIgnore
from gamin.daemon.sessions.watchman.results import ResultBuilder
from gamin.daemon.sessions.watchman.root import Root
from gamin.protocol.watchman.query.query import Query, parse_query
from gamin.protocol.watchman.root_config import RootConfig
from testkit.doubles.engine import Shell

FILES = ("a.c", "B.C", "d/a.c", "d/.x.c", "d/e/f/g.c", "d/e/h", "o/p.c", "ign/q.c")
PARTS = st.sampled_from(
    [
        "*",
        "**",
        "d",
        "e",
        "a.c",
        "*.c",
        "*.C",
        "[d-e]",
        "?",
        "ign",
        "o",
        "*[.]c",
        "\\a.c",
    ]
)
GLOBS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
PATHS = st.sampled_from(["", "d", "d/e", "a.c", "d/a.c", "ign", "nowhere/x", "d/e/h"])
DEEP = st.builds(
    lambda path, depth: {"path": path, "depth": depth}, PATHS, st.integers(-1, 2)
)


@pytest.fixture(scope="module")
def root() -> Iterator[Root]:
    shell = Shell()
    for name in FILES:
        path = b"/r/" + name.encode()
        shell.disk.makedirs(path.rpartition(b"/")[0])
        shell.disk.touch(path)
    ignore = WatchmanIgnore(RootConfig(ignore_dirs=(b"ign",)))
    subscription = shell.view().subscribe(b"/r", Scope.TREE, ignore=ignore)
    loop = Loop()
    root = Root(subscription, itertools.count(1), shell.monitor, loop, (1, 1))
    root.become_ready(1)
    yield root
    loop.close()


def names(root: Root, query: Query, rows: Any) -> list[bytes]:
    builder = ResultBuilder(root.subscription, query)
    return sorted(row.name for row in builder.rows(rows, root.timeline))


@given(
    globs=st.none() | st.lists(GLOBS, max_size=3),
    paths=st.none() | st.lists(PATHS | DEEP, max_size=3),
    suffixes=st.none() | st.lists(st.sampled_from(["c", "C", "x"]), max_size=2),
    inner=st.sampled_from(["", "d", "d/e", "ign"]),
    is_case_sensitive=st.booleans(),
)
def test_a_walk_finds_what_a_walk_through_everything_finds(
    root: Root,
    globs: Any,
    paths: Any,
    suffixes: Any,
    inner: str,
    is_case_sensitive: bool,
) -> None:
    given = {"glob": globs, "path": paths, "suffix": suffixes}
    query = parse_query(
        {key: value for key, value in given.items() if value is not None}
        | {"relative_root": inner, "case_sensitive": is_case_sensitive}
    )
    found = names(root, query, candidates(root, query))
    assert found == names(root, query, root.listing())
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("query", "walked"),
    [
        ({"glob": ["d/e/**"]}, {b"d/e/f", b"d/e/h", b"d/e/f/g.c"}),
        ({"glob": ["d/e/**/*.c"]}, {b"d/e/f/g.c"}),
        ({"glob": ["d/*.c"]}, {b"d/a.c", b"d/.x.c"}),
        ({"path": [{"path": "d/e", "depth": 0}]}, {b"d/e/f", b"d/e/h"}),
        ({"path": ["d/e/h"]}, {b"d/e/h"}),
        ({"suffix": "x"}, set()),
        ({"glob": []}, set()),
    ],
)
def test_only_the_directories_that_are_named_are_walked(
    root: Root, query: dict[str, Any], walked: set[bytes]
) -> None:
    rows = candidates(root, parse_query(query))
    assert {row.path.removeprefix(b"/r/") for row in rows} == walked


def test_directories_that_the_configuration_ignores_are_not_there(root: Root) -> None:
    query = parse_query({"suffix": "c"})
    assert b"ign/q.c" not in names(root, query, candidates(root, query))
