"""Only what a filter of watchfiles surely drops is left unwatched."""

import pytest

from gamin.compat.filters import pruned_names

watchfiles = pytest.importorskip("watchfiles")


def test_the_ignored_directories_of_the_library_s_own_filters_are_pruned() -> None:
    for each in (watchfiles.DefaultFilter(), watchfiles.PythonFilter()):
        assert {"node_modules", ".git"} <= set(pruned_names(each))
    chosen = watchfiles.DefaultFilter(ignore_dirs=["build", "a/b", ""])
    assert pruned_names(chosen) == ["build"]


def test_a_subclass_without_its_own_call_prunes_what_it_ignores() -> None:
    class Filter(watchfiles.DefaultFilter):  # type: ignore[misc, name-defined]  # found at run time
        ignore_dirs = ("out",)

    assert pruned_names(Filter()) == ["out"]


def test_a_filter_that_decides_by_itself_prunes_nothing() -> None:
    class Filter(watchfiles.DefaultFilter):  # type: ignore[misc, name-defined]  # found at run time
        def __call__(self, change: object, path: str) -> bool:
            return True

    assert pruned_names(Filter()) == ()
    assert pruned_names(lambda change, path: True) == ()
    assert pruned_names(None) == ()
