"""The directory of one of Watchman's servers, and who may reach the socket in it."""

import grp
import json
import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from gamin.cli.watchman_service import StateDirectoryRefused
from gamin.cli.watchman_state_directory import (
    Group,
    SocketAccess,
    StatePaths,
    listen,
    prepared,
    read_access,
    state_paths,
)
from gamin.protocol.watchman.errors import BadRequest

OWN = Group(os.getegid(), "own")
OTHER = Group(os.getegid() + 1, "other")
USER_ALONE = SocketAccess()


def access_of(tmp_path: Path, config: Mapping[str, Any]) -> SocketAccess:
    file = tmp_path / "watchman.json"
    file.write_text(json.dumps(config))
    return read_access({"WATCHMAN_CONFIG_FILE": str(file), "HOME": str(tmp_path)})


def checked(directory: Path, access: SocketAccess = USER_ALONE) -> None:
    with prepared(str(directory), access):
        pass


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize(
    ("environ", "user"),
    [({"USER": "a", "LOGNAME": "b"}, "a"), ({"LOGNAME": "b"}, "b")],
)
def test_the_directory_has_the_name_of_the_user(
    environ: dict[str, str], user: str
) -> None:
    paths = state_paths("/x", environ)
    assert paths.directory == f"/x/{user}-state"
    assert paths.sockname == f"/x/{user}-state/sock"
    assert state_paths("/x", {}).directory.endswith("-state")


def test_without_a_configuration_only_the_user_reaches_the_socket(
    tmp_path: Path,
) -> None:
    missing = {"WATCHMAN_CONFIG_FILE": str(tmp_path / "no"), "HOME": str(tmp_path)}
    for access in (read_access(missing), access_of(tmp_path, {"settle": 1})):
        assert access == SocketAccess()
        assert access.directory_mode == 0o2700
        assert access.socket_mode == 0o600


@pytest.mark.parametrize(
    ("sock_access", "directory", "sock"),
    [
        ({"group": True}, 0o2750, 0o660),
        ({"group": True, "others": True}, 0o2755, 0o666),
        ({"others": True}, 0o2705, 0o606),
        ({"group": False, "unknown": 3}, 0o2700, 0o600),
    ],
)
def test_the_configuration_gives_others_their_modes(
    tmp_path: Path, sock_access: dict[str, Any], directory: int, sock: int
) -> None:
    access = access_of(tmp_path, {"sock_access": sock_access})
    assert (access.directory_mode, access.socket_mode) == (directory, sock)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"sock_access": "bogus"}, "sock_access to be an object"),
        ({"sock_access": {"group": "oui"}}, "sock_access.group to be a boolean"),
        ({"sock_access": {"others": 1}}, "sock_access.others to be a boolean"),
        ({"sock_group": 7}, "sock_group to be a string"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(
    tmp_path: Path, config: dict[str, Any], text: str
) -> None:
    with pytest.raises(BadRequest, match=f"Expected config value {text}"):
        access_of(tmp_path, config)


@pytest.mark.parametrize("name", ["no such group", "", "nul\0"])
def test_a_group_must_exist(tmp_path: Path, name: str) -> None:
    with pytest.raises(StateDirectoryRefused, match="does not exist"):
        access_of(tmp_path, {"sock_group": name})


def test_a_group_is_found_by_its_name(tmp_path: Path) -> None:
    known = grp.getgrall()[0]
    access = access_of(tmp_path, {"sock_group": known.gr_name})
    assert access.group == access.socket_group == (known.gr_gid, known.gr_name)


def test_the_directory_is_made_and_gets_the_mode_of_each_start(tmp_path: Path) -> None:
    place = tmp_path / "state"
    for access in (
        SocketAccess(),
        SocketAccess(is_for_group=True, is_for_others=True),
        SocketAccess(OWN, OWN, is_for_group=True),
    ):
        checked(place, access)
        assert mode(place) == access.directory_mode
    assert place.stat().st_gid == OWN.number


@pytest.mark.parametrize("open_mode", [0o777, 0o720, 0o702])
def test_a_directory_that_others_may_write_is_refused(
    tmp_path: Path, open_mode: int
) -> None:
    tmp_path.chmod(open_mode)
    with pytest.raises(StateDirectoryRefused, match="allow others to write to it"):
        checked(tmp_path)
    assert mode(tmp_path) == open_mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, -1)
    with pytest.raises(StateDirectoryRefused, match=r"the owner of .* is uid 65534"):
        checked(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may give any group")
def test_a_group_of_others_cannot_be_given(tmp_path: Path) -> None:
    strangers = set(range(1, 70000)).difference(os.getgroups(), [os.getegid()])
    group = Group(min(strangers), "strangers")
    with pytest.raises(StateDirectoryRefused, match="setting up group 'strangers'"):
        checked(tmp_path, SocketAccess(group, group))


def test_a_link_to_a_good_directory_is_followed_and_other_things_are_not(
    tmp_path: Path,
) -> None:
    good, link, file = (tmp_path / name for name in ("good", "link", "file"))
    good.mkdir()
    link.symlink_to("good")
    checked(link, SocketAccess(is_for_group=True))
    assert mode(good) == 0o2750
    file.touch()
    for bad in (file, tmp_path / "missing" / "state"):
        with pytest.raises(StateDirectoryRefused):
            checked(bad)


@pytest.fixture
def paths() -> Any:
    # The path of a socket has at most 107 bytes; the directories of tests have more.
    with TemporaryDirectory(prefix="wm-") as parent:
        yield state_paths(parent, {"USER": "me"})


def reached(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(path)
        except ConnectionRefusedError:
            return False
    return True


def test_a_socket_has_its_mode_and_replaces_what_a_dead_server_left(
    paths: StatePaths,
) -> None:
    listen(paths, SocketAccess()).close()
    path = Path(paths.sockname)
    assert mode(path) == 0o600
    assert not reached(paths.sockname)
    access = SocketAccess(is_for_group=True, is_for_others=True)
    with listen(paths, access):
        assert mode(path) == 0o666
        assert reached(paths.sockname)


def test_a_socket_of_another_group_than_was_wanted_is_refused(
    paths: StatePaths,
) -> None:
    access = SocketAccess(OWN, OTHER)
    wanted = f"gid {OWN.number} doesn't match expected gid {OTHER.number} \\(group name"
    with pytest.raises(StateDirectoryRefused, match=wanted):
        listen(paths, access)
    assert not reached(paths.sockname)


def test_a_path_that_is_too_long_for_a_socket_is_refused(paths: StatePaths) -> None:
    deep = state_paths(os.path.dirname(paths.directory), {"USER": "u" * 120})
    with pytest.raises(StateDirectoryRefused, match="too long"):
        listen(deep, SocketAccess())
