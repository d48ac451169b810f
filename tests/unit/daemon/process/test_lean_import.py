"""What is only taken along is not imported; what is needed, is."""

import sys
from pathlib import Path

import pytest

from gamin.daemon.process.lean_import import lean_import
from testkit.descriptors import no_free_descriptor


@pytest.fixture(autouse=True)
def not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "typing_extensions", raising=False)


def test_a_library_does_not_find_typing_extensions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "try:\n import typing_extensions\nexcept ImportError:\n lean = True\n"
    (tmp_path / "gamin_library.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with lean_import():
        import gamin_library  # type: ignore[import-not-found]  # made by the test
    assert gamin_library.lean
    del sys.modules["gamin_library"]


def test_it_is_found_again_afterwards_even_if_the_import_failed() -> None:
    with pytest.raises(RuntimeError), lean_import():
        raise RuntimeError
    assert "typing_extensions" not in sys.modules


def test_a_library_in_c_that_finds_no_descriptor_is_not_missing() -> None:
    with (
        no_free_descriptor(),
        pytest.raises(OSError, match="Too many open files"),
        lean_import(),
    ):
        raise ImportError("cannot open shared object file: Too many open files")
    with pytest.raises(ImportError, match="missing"), lean_import():
        raise ImportError("missing")


def test_what_was_imported_before_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    there = object()
    monkeypatch.setitem(sys.modules, "typing_extensions", there)
    with lean_import():
        assert sys.modules["typing_extensions"] is there
    assert sys.modules["typing_extensions"] is there
