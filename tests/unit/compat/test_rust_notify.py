"""The class in the place of watchfiles' engine: the service, or the library's own."""

import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gamin.compat import fallback
from gamin.compat.engine import Engine
from gamin.compat.rust_notify import make_engine
from gamin.errors import ServerError
from testkit.taken_places import taken_place
from testkit.watches import kill_server, serving


@pytest.fixture(autouse=True)
def server(session: str) -> Iterator[None]:
    with serving(session):
        yield


class Own:
    """Stands for the library's own engine."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments
        self.is_closed = False

    def watch(self, *limits: object) -> object:
        return limits

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(fallback, "_warned", set())
    return make_engine(Own)


def test_forced_polling_is_left_to_the_library(replaced: Any, tmp_path: Path) -> None:
    own = replaced([str(tmp_path)], False, True, 100, True, False)
    assert own.arguments == ([str(tmp_path)], False, True, 100, True, False)


def test_without_a_server_the_library_s_engine_is_used_with_one_warning(
    replaced: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMIN_DEBUG_SERVER", str(tmp_path / "missing"))
    monkeypatch.setenv("GAM_CLIENT_ID", "nobody-serves-this")
    with pytest.warns(RuntimeWarning, match="without gamin"):
        assert isinstance(replaced([str(tmp_path)]), Own)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(replaced([str(tmp_path)]), Own)


def test_only_the_first_watch_waits_for_a_server_that_does_not_come(
    replaced: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def connect(*_: object, **__: object) -> None:
        attempts.append(1)
        raise ServerError

    with monkeypatch.context() as patched:
        patched.setattr("gamin.client.connect._connect", connect)
        with pytest.warns(RuntimeWarning):
            made = [replaced([str(tmp_path)]) for _ in range(3)]
    assert [type(each) for each in made] == [Own] * 3
    assert len(attempts) == 1


def test_a_watch_goes_on_by_the_library_s_engine_if_the_server_is_lost_for_good(
    replaced: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = replaced([str(tmp_path)])
    monkeypatch.setenv("GAMIN_DEBUG_SERVER", str(tmp_path / "missing"))
    kill_server()
    with pytest.warns(RuntimeWarning, match="without gamin"):
        assert engine.watch(1, 2, 3, None) == (1, 2, 3, None)
    assert engine.watch(4, 5, 6, None) == (4, 5, 6, None)
    own = engine._own
    engine.close()
    assert own.is_closed


def test_a_place_for_sockets_that_others_hold_is_a_reason_for_the_library_s_engine(
    replaced: Any, tmp_path: Path
) -> None:
    with (
        taken_place(tmp_path / "taken"),
        pytest.warns(RuntimeWarning, match="cannot use") as warned,
    ):
        made = [replaced([str(tmp_path)]) for _ in range(2)]
    assert [type(each) for each in made] == [Own, Own]
    assert len(warned) == 1


def test_replacing_can_be_turned_off_at_any_time(
    replaced: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = replaced([str(tmp_path)])
    assert isinstance(first, Engine)
    first.close()
    monkeypatch.setenv("GAMIN_REPLACE", "0")
    assert isinstance(replaced([str(tmp_path)]), Own)


@pytest.mark.parametrize(
    "library", ["watchfiles", "watchdog.observers", "watchdog.observers.polling"]
)
def test_a_process_that_imports_a_library_and_watches_nothing_loads_no_client(
    library: str,
) -> None:
    pytest.importorskip(library)
    code = f"import gamin.compat as c, sys; c.install(); import {library}; "
    code += "print([name for name in sys.modules if name.startswith('gamin.client')])"
    command = [sys.executable, "-I", "-c", code]
    assert subprocess.check_output(command, text=True) == "[]\n"
