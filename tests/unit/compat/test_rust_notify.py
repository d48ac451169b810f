"""The class in the place of watchfiles' engine: the service, or the library's own."""

import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gamin.compat import settings
from gamin.compat.engine import Engine
from gamin.compat.rust_notify import make_engine
from testkit.watches import serving


@pytest.fixture(autouse=True)
def server(session: str) -> Iterator[None]:
    with serving(session):
        yield


class Own:
    """Stands for the library's own engine."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(settings, "_warned", set())
    return make_engine(Own, ValueError)


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
