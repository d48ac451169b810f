"""What a client believes after the events it received, without any watcher."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.belief import Report, ReportKind, Wrong, believed, compare

START = [b"a", b"a/b", b"a/b/c", b"d"]


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        pytest.param([], {b"a", b"a/b", b"a/b/c", b"d"}, id="nothing was told"),
        pytest.param(
            [Report(ReportKind.CREATED, b"x/y")],
            {b"a", b"a/b", b"a/b/c", b"d", b"x", b"x/y"},
            id="what is in a directory implies the directory",
        ),
        pytest.param(
            [Report(ReportKind.DELETED, b"a")],
            {b"d"},
            id="a directory goes with all below it",
        ),
        pytest.param(
            [Report(ReportKind.MOVED, b"a/b", b"e")],
            {b"a", b"e", b"e/c", b"d"},
            id="a directory moves with all below it",
        ),
        pytest.param(
            [Report(ReportKind.MOVED, b"d", b"a")],
            {b"a"},
            id="what was where something moves to is replaced",
        ),
        pytest.param(
            [Report(ReportKind.MOVED, b"outside", b"e")],
            {b"a", b"a/b", b"a/b/c", b"d", b"e"},
            id="a move from an unknown place tells that it is here",
        ),
        pytest.param(
            [
                Report(ReportKind.CHANGED, b"new"),
                Report(ReportKind.DELETED, b"no/such"),
            ],
            {b"a", b"a/b", b"a/b/c", b"d"},
            id="news of what is not known changes nothing",
        ),
        pytest.param(
            [
                Report(ReportKind.LOST),
                Report(ReportKind.RESET),
                Report(ReportKind.CREATED, b"d"),
            ],
            {b"d"},
            id="a fresh listing replaces everything",
        ),
    ],
)
def test_what_a_client_believes(reports: list[Report], expected: set[bytes]) -> None:
    assert believed(START, reports) == expected


names = st.sampled_from([b"a", b"b", b"c"])
paths = st.lists(names, min_size=1, max_size=3).map(b"/".join)


@given(made=st.lists(paths))
def test_creations_alone_are_believed_with_their_parents(made: list[bytes]) -> None:
    picture = believed([], [Report(ReportKind.CREATED, path) for path in made])
    assert picture >= set(made)
    assert all(path.rpartition(b"/")[0] in picture for path in picture if b"/" in path)


def test_missing_and_stale_paths_are_counted() -> None:
    client, disk = {b"same", b"gone"}, {b"same", b"new", b"newer"}
    assert compare(client, disk) == Wrong(missing=2, stale=1)
