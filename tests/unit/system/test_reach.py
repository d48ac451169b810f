"""Which paths lead to a mount that may not answer, without looking there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.system import reach


@pytest.fixture(autouse=True)
def no_mounts() -> Iterator[None]:
    yield
    reach.use({})


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A directory that counts as a distant mount, and an automount beside it."""
    folder = tmp_path.resolve()
    (folder / "far" / "inner").mkdir(parents=True)
    (folder / "near").mkdir()
    (folder / "auto").mkdir()
    reach.use({bytes(folder / "far"): False, bytes(folder / "auto"): True})
    return folder


def point(path: Path, *, follows: bool = True) -> bytes | None:
    return reach.distant_point(bytes(path), follows=follows)


def test_without_distant_mounts_every_path_is_near(tmp_path: Path) -> None:
    assert not reach.has_distant()
    assert point(tmp_path / "any") is None


def test_a_mount_and_all_below_it_is_distant(there: Path) -> None:
    far = bytes(there / "far")
    assert reach.has_distant()
    assert point(there / "far") == far
    assert point(there / "far" / "inner" / "none") == far
    assert point(there / "near") is None
    assert point(there / "far" / ".." / "near") == far


def test_a_symlink_leads_to_a_distant_mount(there: Path) -> None:
    link = there / "near" / "link"
    link.symlink_to("../far/inner")
    assert point(link) == bytes(there / "far")
    assert point(link / "file", follows=False) == bytes(there / "far")
    assert point(link, follows=False) is None


def test_links_that_lead_in_circles_and_missing_names_are_near(there: Path) -> None:
    loop = there / "near" / "loop"
    loop.symlink_to("loop")
    assert point(loop) is None
    assert point(there / "none" / "below") is None
    assert reach.distant_point(b"/\0") is None


def test_a_thread_reads_links_on_the_mount_that_it_waits_for(there: Path) -> None:
    known = {bytes(there / "far")}
    (there / "far" / "out").symlink_to(there / "near")
    assert reach.distant_point(bytes(there / "far" / "out"), known) is None


def test_below_an_automount_nothing_is_looked_for(there: Path) -> None:
    assert point(there / "auto") == bytes(there / "auto")
    with pytest.raises(FileNotFoundError):
        point(there / "auto" / "host")


def test_the_names_of_mount_points_in_a_directory_are_known(there: Path) -> None:
    assert set(reach.mounted_in(bytes(there))) == {b"far", b"auto"}
    assert not reach.mounted_in(bytes(there / "near"))
    assert reach.points_below(bytes(there.parent)) == [
        bytes(there / "far"),
        bytes(there / "auto"),
    ]


def test_each_list_of_mounts_has_a_number_of_its_own() -> None:
    before = reach.generation()
    reach.use({b"/net": False})
    assert reach.generation() != before
