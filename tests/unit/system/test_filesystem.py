"""What is at a path, and whether it is newer than it may be."""

from pathlib import Path

from gamin.system.filesystem import Glance, by_kind, glance, newer, scan


def test_what_is_there_is_a_directory_or_not_or_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    assert glance(bytes(tmp_path), 0) == Glance(True)
    assert glance(bytes(tmp_path / "file"), 0) == Glance(False)
    assert glance(bytes(tmp_path / "link"), 1) == Glance(b"file")


def test_that_nothing_is_there_is_known_too(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert glance(bytes(tmp_path / "missing"), 0) == Glance(None)
    assert glance(bytes(tmp_path / "file/below"), 0) == Glance(None)


def test_a_path_that_cannot_be_looked_at_may_lead_anywhere(tmp_path: Path) -> None:
    too_long = bytes(tmp_path / ("x" * 300))
    assert glance(too_long, 0) == Glance(None, is_known=False)
    assert glance(b"/a\0b", 0) == Glance(None, is_known=False)


def test_what_is_as_old_as_asked_for_is_newer(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    ctime = path.stat().st_ctime_ns
    assert glance(bytes(path), ctime).is_newer
    assert not glance(bytes(path), ctime + 1).is_newer
    entries = scan(bytes(tmp_path))
    assert newer(entries, ctime) == [b"file"]
    assert newer(entries, ctime + 1) == []


def test_an_entry_that_is_gone_is_not_newer(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    entries = scan(bytes(tmp_path))
    (tmp_path / "file").unlink()
    assert newer(entries, 1) == []


def test_a_link_to_a_directory_is_none(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("sub")
    directories, others = by_kind(scan(bytes(tmp_path)))
    assert directories == [b"sub"]
    assert sorted(others) == [b"file", b"link"]
    assert by_kind(scan(bytes(tmp_path / "sub"))) == ([], [])
