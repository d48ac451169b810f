"""What is asked of all names of a directory is what is asked of each row."""

import stat
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.events import Kind
from gamin.protocol.watchman.query.directory_filter import (
    Batch,
    Filter,
    directory_filter,
)
from gamin.protocol.watchman.query.expression import parse_expression
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.query import parse_query
from testkit.rows import NOW

PREFIXES = ["", "a/", "a/b/", "A/", ".d/a/", "x.d/"]
NAMES = ["a", "b.c", "B.C", ".c", "a.tar.gz", "x", ".d", "ab"]
TYPES = {
    name: (stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO)[number % 4]
    for number, name in enumerate(NAMES)
}
PATHS = st.sampled_from([prefix + name for prefix in PREFIXES for name in NAMES])
SCOPE = st.sampled_from(["basename", "wholename"])
GLOBS = ["*", "*.c", "a*", "**/*.c", "a/**", "a/*/b.c", "?", ".*", "[ab]*", "**", "x"]
GLOBS += ["a//**", "a//b//*", "a//b.c", "a/b/**"]
SUFFIXES = ["c", "C", "gz", "d/a", "d/x"]
LEAVES = st.one_of(
    st.sampled_from(["true", "false", "exists", ["exists"]]),
    st.tuples(st.sampled_from(["name", "iname"]), st.lists(PATHS, max_size=4), SCOPE),
    st.tuples(st.sampled_from(["name", "iname"]), st.sampled_from(NAMES)),
    st.tuples(
        st.sampled_from(["match", "imatch"]),
        st.sampled_from(GLOBS),
        SCOPE,
        st.fixed_dictionaries({"includedotfiles": st.booleans()}),
    ),
    st.tuples(st.sampled_from(["pcre", "ipcre"]), st.sampled_from(["^a", "c$"]), SCOPE),
    st.tuples(
        st.sampled_from(["dirname", "idirname"]),
        st.sampled_from(["", "a", "a/b", "A", ".d/a/", "b"]),
        st.tuples(
            st.just("depth"), st.sampled_from(["eq", "ge", "lt"]), st.integers(0, 2)
        ),
    ),
    st.tuples(st.just("dirname"), st.sampled_from(["", "a", "a/b"])),
    st.tuples(st.just("suffix"), st.lists(st.sampled_from(SUFFIXES))),
    st.tuples(st.just("type"), st.sampled_from("fdlpb")),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.builds(
            lambda word, some: [word, *some],
            st.sampled_from(["allof", "anyof"]),
            st.lists(inner, min_size=1, max_size=4),
        ),
    ),
    max_leaves=8,
)


class Disk:
    def lstat(self, name: bytes) -> Any:
        return SimpleNamespace(st_mode=TYPES[name.decode().rpartition("/")[2]] | 0o644)

    def last_stat(self, name: bytes) -> Any:
        return self.lstat(name)

    def readlink(self, name: bytes) -> None:
        return None


def rows(prefix: str, *, exists: bool = True) -> list[FileRow]:
    return [
        FileRow(
            (prefix + name).encode(),
            Kind.EXISTS if exists else Kind.DELETED,
            is_dir=TYPES[name] == stat.S_IFDIR,
            exists=exists,
            disk=Disk(),
        )
        for name in NAMES
    ]


def kept(wanted: Filter | None, batch: Batch) -> list[bytes]:
    verdict = True if wanted is None else wanted(batch)
    verdicts = [verdict] * len(batch.names) if isinstance(verdict, bool) else verdict
    assert len(verdicts) == len(batch.names)
    return [name for name, is_so in zip(batch.names, verdicts, strict=True) if is_so]


def found(query: Any, prefix: str, *, exists: bool = True) -> list[str]:
    wanted = directory_filter(query.selection, query.expression)
    assert wanted is not None
    its_directories = [n.encode() for n in NAMES if TYPES[n] == stat.S_IFDIR]
    batch_of = partial(
        Batch, prefix.encode(), directories=its_directories, exists=exists
    )
    names = kept(wanted.by_name, batch_of([n.encode() for n in NAMES]))
    types = [TYPES[name.decode()] for name in names]
    left = kept(wanted.by_type, batch_of(names, types=types))
    return [prefix + name.decode() for name in left]


@given(EXPRESSIONS, st.sampled_from(PREFIXES), st.booleans(), st.booleans())
def test_an_expression_has_the_same_answer(
    expression: Any, prefix: str, fold: bool, exists: bool
) -> None:
    value = as_lists(expression)
    query = parse_query({"expression": value, "case_sensitive": not fold})
    asked = parse_expression(value, fold=fold)
    every = rows(prefix, exists=exists)
    expected = [row.name.decode() for row in every if asked.matches(row, NOW)]
    assert found(query, prefix, exists=exists) == expected


def as_lists(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [as_lists(each) for each in value]
    return value


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "suffix": st.lists(st.sampled_from(SUFFIXES)),
            "glob": st.lists(st.sampled_from(GLOBS)),
            "path": st.lists(
                st.one_of(
                    st.sampled_from(["", "a", "a/b", "a/b.c", "x"]),
                    st.fixed_dictionaries(
                        {
                            "path": st.sampled_from(["", "a", "A"]),
                            "depth": st.integers(-1, 2),
                        }
                    ),
                )
            ),
            "glob_includedotfiles": st.booleans(),
            "case_sensitive": st.booleans(),
        },
    ),
    st.sampled_from(PREFIXES),
)
def test_generators_find_the_same(asked: dict[str, Any], prefix: str) -> None:
    query = parse_query(asked)
    if query.selection is None:
        return
    selects = query.selection.predicate()
    expected = [row.name.decode() for row in rows(prefix) if selects(row)]
    assert found(query, prefix) == expected


@pytest.mark.parametrize(
    "expression",
    ["empty", ["size", "gt", 1], ["since", "c:0:0"], ["not", ["anyof", "empty"]]],
    ids=str,
)
def test_what_is_about_more_than_names_and_types_is_left_to_rows(
    expression: Any,
) -> None:
    assert directory_filter(None, parse_expression(expression)) is None
