"""Reading the three files: their order, and which of them are followed."""

import os
from pathlib import Path

import pytest

from gamin.config.client_limits import ClientLimits
from gamin.config.flow_settings import FlowSettings
from gamin.config.loader import (
    MAX_SIZE,
    home_directory,
    read,
    read_mounts,
)
from gamin.config.state_settings import StateSettings
from testkit.descriptors import no_descriptor_is_left_open
from testkit.processes import NOBODY, require_root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def system(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    return tmp_path / "etc"


def test_the_files_are_read_in_the_order_system_user_mandatory(
    home: Path, system: Path
) -> None:
    (system / "mandatory_gaminrc").write_text("poll /third")
    (home / ".gaminrc").write_text("poll ~/second")
    (system / "gaminrc").write_text("poll /first")

    found = read(str(home), str(system))

    assert [f"{rule} {rule.origin}" for rule in found.rules] == [
        f"poll /first {system}/gaminrc:1",
        f"poll {home}/second {home}/.gaminrc:1",
        f"poll /third {system}/mandatory_gaminrc:1",
    ]
    assert not found.mistakes


def test_missing_files_are_no_mistake(home: Path, system: Path) -> None:
    found = read(str(home / "nobody"), str(system / "gaminrc"))
    assert (found.rules, found.mistakes) == ((), ())


def test_mistakes_name_their_file_and_line(home: Path, system: Path) -> None:
    (home / ".gaminrc").write_text("\nwhat\npoll /a")
    found = read(str(home), str(system))
    assert [str(m) for m in found.mistakes] == [
        f"{home}/.gaminrc:2: not understood: what"
    ]
    assert len(found.rules) == 1


def test_the_last_limit_line_of_a_name_counts(home: Path, system: Path) -> None:
    (home / ".gaminrc").write_text("limit triggers 9\nlimit rule_lists 2")
    (system / "mandatory_gaminrc").write_text("limit triggers 3")
    assert read(str(home), str(system)).limits == ClientLimits(triggers=3, rule_lists=2)


def test_the_last_state_line_of_a_name_counts(home: Path, system: Path) -> None:
    (home / ".gaminrc").write_text("state kept_days 9\nstate save_interval 2.5")
    (system / "mandatory_gaminrc").write_text("state kept_days 3")
    found = read(str(home), str(system)).state
    assert found == StateSettings(save_interval=2.5, kept_days=3)
    assert isinstance(found.kept_days, int)


def test_the_last_flow_line_of_a_name_counts(home: Path, system: Path) -> None:
    (home / ".gaminrc").write_text("flow calm_seconds 9\nflow report_interval 2")
    (system / "mandatory_gaminrc").write_text("flow calm_seconds 3")
    assert read(str(home), str(system)).flow == FlowSettings(
        calm_seconds=3.0, report_interval=2.0
    )


def test_a_pipe_in_place_of_a_file_is_a_mistake_and_blocks_nothing(
    home: Path, system: Path
) -> None:
    os.mkfifo(home / ".gaminrc")
    (mistake,) = read(str(home), str(system)).mistakes
    assert str(mistake) == f"{home}/.gaminrc: not a regular file"


def test_a_directory_in_place_of_a_file_is_a_mistake(home: Path, system: Path) -> None:
    (home / ".gaminrc").mkdir()
    with no_descriptor_is_left_open():
        assert len(read(str(home), str(system)).mistakes) == 1


def test_a_huge_file_is_a_mistake(home: Path, system: Path) -> None:
    with (home / ".gaminrc").open("wb") as stream:
        stream.truncate(MAX_SIZE + 1)
    (mistake,) = read(str(home), str(system)).mistakes
    assert mistake.what == f"larger than {MAX_SIZE} bytes"


def test_a_link_to_a_file_is_followed(home: Path, system: Path) -> None:
    (home / "dotfiles").write_text("poll /a")
    (home / ".gaminrc").symlink_to("dotfiles")
    assert len(read(str(home), str(system)).rules) == 1


def test_home_is_that_of_the_environment_or_of_the_account() -> None:
    assert home_directory({"HOME": "/home/me"}) == "/home/me"
    account = home_directory({})
    assert account.startswith("/")
    assert home_directory({"HOME": "relative"}) == account


def test_the_mounts_of_this_machine_are_read() -> None:
    mounts = read_mounts()
    assert mounts.of(b"/proc/self").type == "proc"
    assert mounts.of(b"/").type != "unknown"


@pytest.mark.parametrize("mode", [0o646, 0o602])
def test_a_file_that_everybody_may_write_is_not_followed(
    mode: int, home: Path, system: Path
) -> None:
    (home / ".gaminrc").write_text("fsset ext4 none")
    (home / ".gaminrc").chmod(mode)
    found = read(str(home), str(system))
    assert not found.rules
    assert [str(mistake) for mistake in found.mistakes] == [
        f"{home}/.gaminrc: not followed: other users may write it (chmod go-w)"
    ]


def test_a_file_that_the_users_own_group_may_write_is_followed(
    home: Path, system: Path
) -> None:
    (home / ".gaminrc").write_text("poll /a")
    (home / ".gaminrc").chmod(0o664)
    assert len(read(str(home), str(system)).rules) == 1


def test_a_file_of_another_user_is_not_followed(home: Path, system: Path) -> None:
    """As when root's HOME is the directory of a user."""
    require_root()
    (home / ".gaminrc").write_text("fsset ext4 none")
    os.chown(home / ".gaminrc", NOBODY, NOBODY)
    found = read(str(home), str(system))
    assert not found.rules
    (mistake,) = found.mistakes
    assert f"belongs to uid {NOBODY}" in mistake.what


def test_a_file_that_a_foreign_group_may_write_is_not_followed(
    home: Path, system: Path
) -> None:
    require_root()
    (home / ".gaminrc").write_text("poll /a")
    os.chown(home / ".gaminrc", -1, NOBODY)
    (home / ".gaminrc").chmod(0o664)
    assert not read(str(home), str(system)).rules
