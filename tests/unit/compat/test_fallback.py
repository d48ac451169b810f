"""The warning that a library uses its own engine."""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gamin.compat import fallback
from gamin.compat.fallback import Line, warn_once


@pytest.fixture(autouse=True)
def caught(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[list[warnings.WarningMessage]]:
    monkeypatch.setattr(fallback, "_warned", set())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def caller_in(module: str) -> Callable[[Callable[[], object]], Any]:
    """A function of a module of that name; it calls what it is given."""
    names: dict[str, Any] = {"__name__": module}
    exec("def call(function): return function()", names)
    call: Callable[[Callable[[], object]], Any] = names["call"]
    return call


def test_each_library_is_warned_of_once(caught: list[warnings.WarningMessage]) -> None:
    for library in ("watchdog", "watchdog", "watchfiles"):
        warn_once(library, "no server")
    assert [str(each.message) for each in caught] == [
        f"{library} watches files by itself, without gamin: no server"
        for library in ("watchdog", "watchfiles")
    ]


def test_the_line_is_the_first_one_outside_the_libraries(
    caught: list[warnings.WarningMessage],
) -> None:
    warn: Callable[[], object] = partial(warn_once, "watchdog", "no server")
    for module in ("gamin.compat.observer", "watchdog.observers.api", "threading"):
        warn = partial(caller_in(module), warn)
    warn()
    assert [each.filename for each in caught] == [__file__]


def test_an_import_of_a_library_is_at_the_line_that_imports(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caught: list[warnings.WarningMessage],
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(fallback, "NO_PROGRAM", {*fallback.NO_PROGRAM, "a_library"})
    code = "from gamin.compat.fallback import warn_once\nwarn_once('watchfiles', 'x')\n"
    (tmp_path / "a_library.py").write_text(code)
    (tmp_path / "a_program.py").write_text("\nimport a_library\n")
    __import__("a_program")
    found = [(each.filename, each.lineno) for each in caught]
    assert found == [(str(tmp_path / "a_program.py"), 2)]


def test_a_thread_of_a_library_has_no_line_and_names_one_that_was_kept(
    caught: list[warnings.WarningMessage],
) -> None:
    kept = Line("/home/me/app.py", 7, "app")

    def in_thread(function: Callable[[], object]) -> None:
        thread = Thread(target=caller_in("watchdog.observers.api"), args=(function,))
        thread.start()
        thread.join()

    in_thread(partial(warn_once, "watchdog", "it was lost", kept))
    in_thread(partial(warn_once, "watchfiles", "it was lost"))
    assert [(each.filename, each.lineno) for each in caught[:1]] == [kept[:2]]
    assert caught[1].filename != __file__
