"""A server imports everything it may need, one module per iteration of its loop."""

import gc
import logging
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.daemon.io.loop import Loop
from gamin.daemon.process import preload
from gamin.daemon.process.preload import LATE_MODULES, Preload
from testkit.descriptors import no_free_descriptor
from tests.conventions.source import SOURCE


def never() -> float:
    """When something happened last, where nothing ever did."""
    return float("-inf")


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    monkeypatch.syspath_prepend(tmp_path)
    names = ["gamin_late_one", "gamin_late_two"]
    for name in names:
        (tmp_path / f"{name}.py").touch()
    yield names
    for name in names:
        sys.modules.pop(name, None)


def test_modules_are_imported_when_the_time_has_come(
    loop: Loop, modules: list[str]
) -> None:
    errors: list[ImportError] = []
    Preload(loop, errors.append, modules, last_activity=never, idle_seconds=0)
    while not set(modules) <= sys.modules.keys():
        loop.run_once(0)
    assert not errors


def test_modules_are_imported_only_when_nothing_has_happened_for_a_while(
    loop: Loop, modules: list[str]
) -> None:
    now, last = [0.0], [0.0]
    errors: list[ImportError] = []
    imports = Preload(
        loop,
        errors.append,
        modules,
        last_activity=lambda: last[0],
        idle_seconds=1.0,
        now=lambda: now[0],
    )
    for second in range(1, 5):  # something happens every second
        now[0] = last[0] = float(second)
        imports._begin()
        assert not set(modules) & sys.modules.keys()
    now[0] += 1.0
    imports._begin()
    assert modules[0] in sys.modules
    imports.stop()


def test_a_server_that_is_never_idle_imports_all_the_same(
    loop: Loop, modules: list[str]
) -> None:
    now = [0.0]
    errors: list[ImportError] = []
    imports = Preload(
        loop, errors.append, modules, last_activity=lambda: now[0], now=lambda: now[0]
    )
    now[0] = preload.MAX_WAIT_SECONDS
    imports._begin()
    assert modules[0] in sys.modules
    imports.stop()


def test_a_server_that_ends_imports_no_more(loop: Loop, modules: list[str]) -> None:
    errors: list[ImportError] = []
    imports = Preload(loop, errors.append, modules, last_activity=never, idle_seconds=0)
    imports.stop()
    for _ in range(5):
        loop.run_once(0)
    assert not set(modules) & sys.modules.keys()


def test_a_module_that_cannot_be_read_now_is_imported_later(
    loop: Loop, modules: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preload, "RETRY_SECONDS", 0.0)
    errors: list[ImportError] = []
    with no_free_descriptor():
        Preload(loop, errors.append, modules, last_activity=never, idle_seconds=0)
        for _ in range(5):
            loop.run_once(0)
    assert not set(modules) & sys.modules.keys()
    while not set(modules) <= sys.modules.keys():
        loop.run_once(0)
    assert not errors


def test_a_missing_module_is_reported_once(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    errors: list[ImportError] = []
    gone = ["gamin_gone_one", "gamin_gone_two"]
    Preload(loop, errors.append, gone, last_activity=never, idle_seconds=0)
    for _ in range(5):
        loop.run_once(0)
    assert [error.name for error in errors] == ["gamin_gone_one"]
    assert "all modules are imported" not in caplog.messages


def test_garbage_of_clients_is_still_collected_after_the_imports(
    loop: Loop, modules: list[str]
) -> None:
    class Garbage:
        itself: object = None

    before = gc.get_freeze_count()
    garbage = Garbage()
    garbage.itself = garbage
    gone = weakref.ref(garbage)
    del garbage
    errors: list[ImportError] = []
    Preload(loop, errors.append, modules, last_activity=never, idle_seconds=0)
    while not set(modules) <= sys.modules.keys():
        loop.run_once(0)
    loop.run_once(0)
    gc.collect()
    assert gone() is None
    assert gc.get_freeze_count() <= before, "nothing is kept for good"


def test_everything_of_ours_that_a_function_of_the_server_imports_is_listed() -> None:
    """Nothing else may be imported late: an upgrade would break it."""
    folders = ("daemon", "backends", "core", "engine", "system", "config", "state")
    late = set()
    for folder in (*folders, "patterns", "protocol"):
        for path in (SOURCE / folder).rglob("*.py"):
            if path.name == "start.py":
                continue
            lines = path.read_text().splitlines()
            for number, line in enumerate(lines):
                words = line.split()
                is_late = line.startswith("    ") and words[:1] in (
                    ["from"],
                    ["import"],
                )
                if is_late and not _is_for_types(lines[:number]) and len(words) > 1:
                    late.add(words[1])
    imported = {name for name in late if name in sys.stdlib_module_names}
    imported |= {name for name in late if name.startswith("gamin.") or name == "re2"}
    assert imported <= set(LATE_MODULES)


def _is_for_types(before: list[str]) -> bool:
    block = [line for line in before if line and not line.startswith(" ")]
    return bool(block) and block[-1] == "if TYPE_CHECKING:"
