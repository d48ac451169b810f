"""Where the state is kept: a directory and files that are the user's alone."""

import os
from pathlib import Path

import pytest

from gamin.state.place import SUFFIXES, Place, Unusable
from testkit.processes import NOBODY, require_root


@pytest.fixture
def made(place: Place) -> Place:
    assert place.prepare(make=True)
    return place


def mode(path: str | bytes) -> int:
    return os.lstat(path).st_mode & 0o777


def test_asking_makes_nothing(place: Place) -> None:
    assert not place.prepare(make=False)
    assert not os.path.exists(place.directory)
    assert place.size() == 0


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_what_is_made_is_for_the_user_alone_whatever_the_umask(
    umask: int, place: Place
) -> None:
    before = os.umask(umask)
    try:
        place.prepare(make=True)
    except Unusable:
        pass  # the file has no rights at all; the next one says so
    finally:
        os.umask(before)
    assert mode(place.directory) == 0o700
    assert not mode(place.path) & 0o077


def test_what_was_made_is_found(made: Place) -> None:
    assert made.prepare(make=False)
    Path(made.path).write_bytes(b"12345")
    assert made.size() == 5
    made.remove()
    assert not made.prepare(make=False)
    made.remove()  # changes nothing


def test_each_session_has_a_file_of_its_own(made: Place) -> None:
    other = Place(made.directory, b"other", made.uid)
    assert other.path != made.path
    assert not other.prepare(make=False)


def test_a_directory_that_others_may_enter_is_refused(made: Place) -> None:
    os.chmod(made.directory, 0o750)
    with pytest.raises(Unusable, match="its mode is 0750, not 0700"):
        made.prepare(make=False)


def test_whatever_sqlite_left_beside_the_store_is_counted_and_removed(
    made: Place,
) -> None:
    """A crash may leave a rollback journal: it is of the store that is removed."""
    for suffix in ("-wal", "-shm", "-journal"):
        Path(made.path + suffix).write_bytes(b"12345")
    assert made.size() == 15
    made.remove()
    assert os.listdir(made.directory) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_others_may_read_is_refused(suffix: str, made: Place) -> None:
    path = Path(made.path + suffix)
    path.touch()
    path.chmod(0o640)
    with pytest.raises(Unusable, match="its mode is 0640, not 0600"):
        made.prepare(make=False)


def test_a_link_in_place_of_the_directory_is_not_followed(
    place: Place, tmp_path: Path
) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    (tmp_path / "state").symlink_to("theirs")
    with pytest.raises(Unusable):
        place.prepare(make=True)


def test_a_link_a_pipe_and_a_second_name_are_no_file_of_ours(
    made: Place, tmp_path: Path
) -> None:
    path = Path(made.path)
    os.link(path, tmp_path / "second")
    with pytest.raises(Unusable, match="not a regular file of one name"):
        made.prepare(make=False)
    path.unlink()
    path.symlink_to(tmp_path / "second")
    with pytest.raises(Unusable):
        made.prepare(make=False)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(Unusable, match="not a regular file"):
        made.prepare(make=False)


def test_what_belongs_to_another_user_is_refused(made: Place) -> None:
    require_root()
    os.chown(made.path, NOBODY, NOBODY)
    with pytest.raises(Unusable, match=f"uid {NOBODY}"):
        made.prepare(make=False)
    os.chown(made.directory, NOBODY, NOBODY)
    with pytest.raises(Unusable, match="state: it belongs to uid"):
        made.prepare(make=False)


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = Place(os.fsencode(tmp_path / "file" / "state"), b"s", os.getuid())
    with pytest.raises(Unusable, match="file"):
        place.prepare(make=True)
