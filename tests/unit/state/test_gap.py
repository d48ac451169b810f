"""The difference between what was reported of a path and what is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.events import Kind, Row
from gamin.state.gap import directory_rows, path_rows
from gamin.state.saved_client import PathBelief

names = st.sampled_from([b"a", b"b", b"c", b"d"])
entries = st.dictionaries(names, st.booleans())
IDENTITY = (1, 2)


def belief(of: dict[bytes, bool] | None) -> PathBelief:
    if of is None:
        return PathBelief(False)
    files = b"/".join(name for name, is_dir in of.items() if not is_dir)
    return PathBelief(True, IDENTITY, files, b"/".join(n for n, d in of.items() if d))


def applied(to: dict[bytes, bool] | None, rows: list[Row]) -> dict[bytes, bool] | None:
    """What a client believes that had one belief and receives these rows."""
    found = None if to is None else dict(to)
    for kind, name, is_dir, *_ in rows:
        if not name:
            found = {} if kind is Kind.CREATED else None
        else:
            assert found is not None, "an entry of no directory"
            if kind is Kind.DELETED:
                del found[name]
            elif kind is Kind.CREATED:
                assert name not in found
                found[name] = is_dir
            else:
                assert found[name] is is_dir
    return found


@given(st.none() | entries, st.none() | entries, st.none() | st.sets(names))
def test_a_client_that_receives_the_difference_believes_what_is_there(
    before: dict[bytes, bool] | None,
    now: dict[bytes, bool] | None,
    newer: set[bytes] | None,
) -> None:
    rows = directory_rows(belief(before), now, newer)
    assert applied(before, rows) == now


@given(entries, st.sets(names))
def test_of_the_same_directory_only_what_differs_is_reported(
    there: dict[bytes, bool], newer: set[bytes]
) -> None:
    rows = directory_rows(belief(there), there, newer)
    assert [(row.kind, row.path) for row in rows] == [
        (Kind.CHANGED, name) for name in there if name in newer
    ]


def test_another_directory_is_deleted_and_created_with_what_is_in_it() -> None:
    rows = directory_rows(belief({b"a": False}), {b"a": False}, None)
    assert [(row.kind, row.path) for row in rows] == [
        (Kind.DELETED, b""),
        (Kind.CREATED, b""),
        (Kind.CREATED, b"a"),
    ]


@pytest.mark.parametrize(
    ("was", "exists", "is_changed", "kinds"),
    [
        (True, True, False, []),
        (True, True, True, [Kind.CHANGED]),
        (True, False, True, [Kind.DELETED]),
        (False, True, True, [Kind.CREATED]),
        (False, False, True, []),
    ],
)
def test_a_single_path_comes_goes_or_changes(
    was: bool, exists: bool, is_changed: bool, kinds: list[Kind]
) -> None:
    before = PathBelief(was, IDENTITY)
    rows = path_rows(before, exists=exists, is_dir=False, is_changed=is_changed)
    assert [row.kind for row in rows] == kinds
