"""What is at a path, and whether it is newer than it may be."""

from pathlib import Path

from gamin.system.filesystem import Probe, changed_since, probe, scan, split_entries


def test_what_is_there_is_a_directory_or_not_or_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    assert probe(bytes(tmp_path), 0) == Probe(True)
    assert probe(bytes(tmp_path / "file"), 0) == Probe(False)
    assert probe(bytes(tmp_path / "link"), 1) == Probe(b"file")


def test_that_nothing_is_there_is_known_too(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert probe(bytes(tmp_path / "missing"), 0) == Probe(None)
    assert probe(bytes(tmp_path / "file/below"), 0) == Probe(None)


def test_a_path_that_cannot_be_looked_at_may_lead_anywhere(tmp_path: Path) -> None:
    too_long = bytes(tmp_path / ("x" * 300))
    assert probe(too_long, 0) == Probe(None, is_known=False)
    assert probe(b"/a\0b", 0) == Probe(None, is_known=False)


def test_what_is_as_old_as_asked_for_is_newer(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    ctime = path.stat().st_ctime_ns
    assert probe(bytes(path), ctime).is_newer
    assert not probe(bytes(path), ctime + 1).is_newer
    entries = scan(bytes(tmp_path))
    assert changed_since(entries, ctime) == [b"file"]
    assert changed_since(entries, ctime + 1) == []


def test_an_entry_that_is_gone_is_not_newer(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    entries = scan(bytes(tmp_path))
    (tmp_path / "file").unlink()
    assert changed_since(entries, 1) == []


def test_a_link_to_a_directory_is_none(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("sub")
    directories, others = split_entries(scan(bytes(tmp_path)))
    assert directories == [b"sub"]
    assert sorted(others) == [b"file", b"link"]
    assert split_entries(scan(bytes(tmp_path / "sub"))) == ([], [])
