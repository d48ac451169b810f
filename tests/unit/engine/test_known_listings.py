"""The file system of the executor, while a saved tree is compared and otherwise."""

from pathlib import Path

from gamin.engine.known_listings import KnownListings
from gamin.engine.ports import Entries
from gamin.system import filesystem


class Known:
    """Knows one directory."""

    def scan(self, path: bytes) -> Entries | None:
        return ([], [b"known"], ()) if path == b"/known" else None


def test_it_is_the_real_file_system(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "sub").mkdir()
    files = KnownListings(filesystem)
    assert files.scan(bytes(tmp_path), 0) == ([b"sub"], [b"file"], ())
    assert files.probe(bytes(tmp_path / "file"), 0)[0] is False
    assert files.probe(bytes(tmp_path / "gone"), 0)[0] is None


def test_what_a_comparison_knows_is_not_listed(tmp_path: Path) -> None:
    files = KnownListings(filesystem)
    files.comparing = Known()
    assert files.scan(b"/known", 0) == ([], [b"known"], ())
    assert files.scan(bytes(tmp_path), 0) == ([], [], ())


def test_a_rescan_always_looks_at_the_disk(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    files = KnownListings(filesystem)

    class All(Known):
        def scan(self, path: bytes) -> Entries | None:
            return [], [b"known"], ()

    files.comparing = All()
    assert files.scan(bytes(tmp_path), 1)[1] == [b"file"]
