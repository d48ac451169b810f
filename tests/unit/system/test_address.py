"""Where the settings say the server is; what listens there is tested elsewhere."""

import os
import pwd
from pathlib import Path

import pytest

from gamin.system.address import Address, InvalidSetting, Transport, find, user_name
from testkit.processes import NOBODY, require_root

UID_WITHOUT_NAME = 3_999_999


def an_address(session: bytes = b"s", user: bytes = b"ann") -> Address:
    return Address(uid=1000, user=user, session=session).checked()


def test_the_abstract_name_fills_the_whole_of_sun_path() -> None:
    name = an_address().abstract
    assert len(name) == 108
    assert name.rstrip(b"\0") == b"\0/tmp/fam-ann-s"


def test_an_empty_session_still_has_its_dash() -> None:
    assert an_address(b"").abstract.rstrip(b"\0") == b"\0/tmp/fam-ann-"


def test_the_directory_socket_is_where_the_document_says() -> None:
    address = an_address()
    assert address.directory + b"/" + address.file == b"/tmp/fam-ann/fam-s"


def test_settings_choose_session_transport_and_base() -> None:
    address = find(
        {
            "GAM_CLIENT_ID": "desk",
            "GAMIN_SOCKET": "directory",
            "GAMIN_SOCKET_DIR": "/var/sockets/",
        },
        os.getuid(),
    )
    assert address.session == b"desk"
    assert address.transport is Transport.DIRECTORY
    assert address.directory == b"/var/sockets/fam-" + user_name(os.getuid())
    assert address.watchman_directories == (address.directory,)


def test_an_argument_wins_over_the_variable_even_when_empty() -> None:
    environ = {"GAM_CLIENT_ID": "desk"}
    assert find(environ, 0, session="other").session == b"other"
    assert find(environ, 0, session="").session == b""


def test_empty_settings_count_as_unset() -> None:
    unset = find({}, os.getuid())
    assert find({"GAMIN_SOCKET": "", "GAMIN_SOCKET_DIR": ""}, os.getuid()) == unset
    assert unset.session == b""
    assert unset.transport is Transport.AUTO


def test_a_session_of_any_bytes_comes_through() -> None:
    assert find({"GAM_CLIENT_ID": "\udcff"}, 0).session == b"\xff"


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        pytest.param({"GAMIN_SOCKET": "tcp"}, "GAMIN_SOCKET", id="unknown transport"),
        pytest.param({"GAMIN_SOCKET_DIR": "a"}, "GAMIN_SOCKET_DIR", id="relative base"),
        pytest.param({"GAM_CLIENT_ID": "../x"}, "GAM_CLIENT_ID", id="leaves its place"),
        pytest.param({"GAM_CLIENT_ID": "a\0b"}, "GAM_CLIENT_ID", id="holds a NUL"),
        pytest.param({"GAM_CLIENT_ID": "x" * 74}, "GAM_CLIENT_ID", id="too long"),
    ],
)
def test_a_setting_that_cannot_be_followed_is_named(
    environ: dict[str, str], name: str
) -> None:
    with pytest.raises(InvalidSetting) as caught:
        find(environ, 0)
    assert caught.value.name == name
    assert str(caught.value).startswith(name + "=")


def test_the_longest_session_of_a_file_is_accepted() -> None:
    assert len(an_address(b"x" * 73).watchman_file) == 85


def test_a_name_that_libgamin_would_cut_is_refused() -> None:
    user = b"u" * (104 - len(b"/tmp/fam--s"))
    assert an_address(b"s", user).abstract.rstrip(b"\0")[1:].endswith(b"-s")
    with pytest.raises(InvalidSetting, match="abstract"):
        an_address(b"ss", user)


def test_the_user_is_the_one_of_the_password_database() -> None:
    assert user_name(os.getuid()) == os.fsencode(pwd.getpwuid(os.getuid()).pw_name)


def test_a_uid_without_a_name_is_called_by_its_number() -> None:
    assert user_name(UID_WITHOUT_NAME) == b"3999999"


def own_runtime_directory(root: Path) -> Path:
    path = root / str(os.getuid())
    path.mkdir(mode=0o700)
    return path


def places(root: Path) -> tuple[bytes, ...]:
    address = find({}, os.getuid(), runtime_root=bytes(root))
    return address.watchman_directories


def test_the_runtime_directory_comes_before_the_common_one(tmp_path: Path) -> None:
    runtime = own_runtime_directory(tmp_path)
    best, second, _ = places(tmp_path)
    assert best == bytes(runtime) + b"/gamin"
    assert second == b"/tmp/fam-" + user_name(os.getuid())


def test_a_named_base_goes_before_the_runtime_directory(tmp_path: Path) -> None:
    own_runtime_directory(tmp_path)
    environ = {"GAMIN_SOCKET_DIR": "/base"}
    address = find(environ, os.getuid(), runtime_root=bytes(tmp_path))
    assert address.watchman_directories == (address.directory,)


def test_without_a_runtime_directory_the_common_one_serves(tmp_path: Path) -> None:
    assert places(tmp_path)[0] == b"/tmp/fam-" + user_name(os.getuid())


def test_the_last_place_is_one_that_only_the_user_can_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = places(tmp_path)
    monkeypatch.setenv("HOME", "/elsewhere")  # programs of the user must agree
    assert places(tmp_path) == before
    home = os.fsencode(pwd.getpwuid(os.getuid()).pw_dir)
    assert before[-1] == home + b"/.local/state/gamin/run"


def test_a_link_in_place_of_the_runtime_directory_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / str(os.getuid())).symlink_to("elsewhere")
    assert len(places(tmp_path)) == 2


def test_a_runtime_directory_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    own_runtime_directory(tmp_path).chmod(0o770)
    assert len(places(tmp_path)) == 2


def test_a_runtime_directory_of_another_user_is_not_used(tmp_path: Path) -> None:
    require_root()
    os.chown(own_runtime_directory(tmp_path), NOBODY, NOBODY)
    assert len(places(tmp_path)) == 2
