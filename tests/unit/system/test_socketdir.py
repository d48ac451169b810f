"""The checked directory, and everything else that may be in its place."""

import os
import socket
import stat
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from gamin.system.socketdir import (
    Directory,
    UnsafeSocketPath,
    make_checked,
    open_checked,
)
from testkit.processes import NOBODY, beside, common_directory, require_root

Obstacle = Callable[[Path], object]


def a_file(path: Path) -> None:
    path.write_text("precious")


def a_link_to_a_good_directory(path: Path) -> None:
    target = path.with_name("target")
    target.mkdir(mode=0o700)
    (target / "kept").touch()
    path.symlink_to(target)


def a_strangers_directory(path: Path) -> None:
    require_root()
    path.mkdir(mode=0o700)
    os.chown(path, NOBODY, NOBODY)


OBSTACLES = [
    pytest.param(a_file, id="a file"),
    pytest.param(os.mkfifo, id="a pipe"),
    pytest.param(a_link_to_a_good_directory, id="a link to a good directory"),
    pytest.param(lambda path: path.symlink_to("nowhere"), id="a dangling link"),
    pytest.param(lambda path: path.symlink_to(path.name), id="a link to itself"),
    pytest.param(a_strangers_directory, id="another user's directory"),
    pytest.param(lambda path: path.mkdir() or path.chmod(0o755), id="mode 0755"),
    pytest.param(lambda path: path.mkdir() or path.chmod(0o007), id="mode 007"),
    pytest.param(lambda path: path.mkdir() or path.chmod(0o600), id="mode 0600"),
]


def make(path: Path) -> Directory:
    return make_checked(bytes(path), os.getuid())


def look(path: Path) -> Directory | None:
    return open_checked(bytes(path), os.getuid())


def test_a_missing_directory_is_made_for_us_alone(tmp_path: Path) -> None:
    with make(tmp_path / "fam"):
        assert stat.S_IMODE((tmp_path / "fam").stat().st_mode) == 0o700


def test_the_mode_is_right_under_any_umask(tmp_path: Path) -> None:
    previous = os.umask(0o277)
    try:
        with make(tmp_path / "fam"):
            assert stat.S_IMODE((tmp_path / "fam").stat().st_mode) == 0o700
        assert os.umask(0o277) == 0o277
    finally:
        os.umask(previous)


def test_a_good_directory_is_kept_with_what_is_in_it(tmp_path: Path) -> None:
    make(tmp_path / "fam").close()
    (tmp_path / "fam" / "kept").touch()
    with make(tmp_path / "fam") as directory:
        assert directory.status(b"kept") is not None


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_a_server_replaces_a_wrong_object(obstacle: Obstacle, tmp_path: Path) -> None:
    path = tmp_path / "fam"
    obstacle(path)
    with make(path):
        found = path.lstat()
    assert stat.S_ISDIR(found.st_mode)
    assert found.st_uid == os.getuid()
    assert stat.S_IMODE(found.st_mode) == 0o700


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_a_client_removes_a_wrong_object(obstacle: Obstacle, tmp_path: Path) -> None:
    path = tmp_path / "fam"
    obstacle(path)
    assert look(path) is None
    assert not os.path.lexists(path)


def test_the_target_of_a_link_is_never_touched(tmp_path: Path) -> None:
    a_link_to_a_good_directory(tmp_path / "fam")
    make(tmp_path / "fam").close()
    assert (tmp_path / "target" / "kept").exists()


def test_a_client_finds_nothing_where_there_is_nothing(tmp_path: Path) -> None:
    assert look(tmp_path / "fam") is None


@pytest.mark.parametrize("side", [make, look], ids=["server", "client"])
def test_an_own_directory_with_a_wrong_mode_and_something_in_it_is_repaired(
    side: Callable[[Path], Directory | None], tmp_path: Path
) -> None:
    path = tmp_path / "fam"
    (path / "precious").mkdir(parents=True)
    path.chmod(0o755)
    directory = side(path)
    assert directory is not None
    directory.close()
    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / "precious").exists()


def test_a_lock_that_another_process_keeps_is_an_error_after_a_while(
    tmp_path: Path,
) -> None:
    with make(tmp_path / "fam") as ours, make(tmp_path / "fam") as others:
        with others.locked(0), pytest.raises(UnsafeSocketPath, match="locked"):
            ours.locked(0).__enter__()
        with ours.locked(0):
            pass


def test_a_missing_base_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnsafeSocketPath, match="No such file"):
        make(tmp_path / "missing" / "fam")


def tell_what_becomes_of(pipe: Connection, path: Path) -> None:
    for side in (make, look):
        with pytest.raises(UnsafeSocketPath) as told:
            side(path)
        pipe.send(str(told.value))


def test_a_squatted_name_that_we_cannot_remove_is_an_error() -> None:
    require_root()
    with common_directory() as base:
        (base / "fam").mkdir(mode=0o700)
        with beside(tell_what_becomes_of, base / "fam", uid=NOBODY) as other:
            assert "belongs to uid 0" in other.recv()
            assert "belongs to uid 0" in other.recv()
        assert (base / "fam").exists()


def test_the_directory_stays_the_one_that_was_checked(tmp_path: Path) -> None:
    with make(tmp_path / "fam") as directory:
        (tmp_path / "fam").rename(tmp_path / "moved")
        (tmp_path / "fam").mkdir()
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(directory.place(b"s"))
        assert directory.has_socket(b"s")
    assert (tmp_path / "moved" / "s").is_socket()


def test_a_socket_of_ours_is_found_however_deep_it_lies(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 50] * 3)
    deep.mkdir(parents=True)
    with make(deep / "fam") as directory, socket.socket(socket.AF_UNIX) as listening:
        assert not directory.has_socket(b"s")
        listening.bind(directory.place(b"s"))
        assert directory.has_socket(b"s")


def a_strangers_socket(path: Path) -> None:
    require_root()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(bytes(path))
    os.chown(path, NOBODY, NOBODY)


@pytest.mark.parametrize(
    "obstacle",
    [
        pytest.param(a_file, id="a file"),
        pytest.param(os.mkfifo, id="a pipe"),
        pytest.param(lambda path: path.symlink_to("nowhere"), id="a link"),
        pytest.param(lambda path: path.mkdir(), id="an empty directory"),
        pytest.param(a_strangers_socket, id="another user's socket"),
    ],
)
def test_a_file_that_is_not_our_socket_is_removed(
    obstacle: Obstacle, tmp_path: Path
) -> None:
    with make(tmp_path / "fam") as directory:
        obstacle(tmp_path / "fam" / "s")
        assert not directory.has_socket(b"s")
        assert directory.status(b"s") is None


def test_a_full_directory_in_place_of_a_socket_is_an_error(tmp_path: Path) -> None:
    with make(tmp_path / "fam") as directory:
        (tmp_path / "fam" / "s" / "precious").mkdir(parents=True)
        with pytest.raises(UnsafeSocketPath, match="not a socket but a directory"):
            directory.has_socket(b"s")
    assert (tmp_path / "fam" / "s" / "precious").exists()
