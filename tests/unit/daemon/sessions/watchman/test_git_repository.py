"""Which repository holds a directory, and which exclude files it follows."""

import os
from pathlib import Path

import pytest

from gamin.daemon.sessions.watchman.git_repository import (
    MAX_INCLUDE_DEPTH,
    Repository,
    excludes_of,
    read_excludes,
    repository_at,
    repository_of,
)
from testkit.descriptors import no_descriptor_is_left_open
from testkit.processes import NOBODY, require_root


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository, as far as git's exclude files are concerned."""
    top = tmp_path / "top"
    (top / ".git" / "info").mkdir(parents=True)
    (top / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    return top


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


def found(top: Path) -> Repository:
    repository = repository_at(bytes(top))
    assert repository is not None
    return repository


def user_excludes(top: Path, home: Path) -> str:
    return os.fsdecode(excludes_of(found(top), bytes(home)).user)


def test_a_directory_with_a_head_is_a_repository(top: Path) -> None:
    git = bytes(top / ".git")
    assert found(top) == Repository(bytes(top), git, git)


def test_a_directory_that_is_merely_called_so_is_none(top: Path) -> None:
    (top / ".git" / "HEAD").unlink()
    assert repository_at(bytes(top)) is None
    assert repository_at(bytes(top / ".git")) is None


def test_the_innermost_repository_holds_a_directory(top: Path) -> None:
    deep = top / "a" / "b"
    deep.mkdir(parents=True)
    assert repository_of(bytes(deep)) == found(top)
    (deep / ".git").mkdir()
    (deep / ".git" / "HEAD").touch()
    assert repository_of(bytes(deep)) == found(deep)
    assert repository_of(b"/no/such/place") is None


def test_a_linked_worktree_shares_the_common_directory(
    top: Path, tmp_path: Path
) -> None:
    own = top / ".git" / "worktrees" / "linked"
    own.mkdir(parents=True)
    (own / "HEAD").touch()
    (own / "commondir").write_text("../..\n")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / ".git").write_text(f"gitdir: {own}\n")
    assert found(linked) == Repository(bytes(linked), bytes(own), bytes(top / ".git"))


@pytest.mark.parametrize("text", ["", "gitdir:", "nonsense", "gitdir: /nowhere\n"])
def test_a_pointer_that_leads_nowhere_is_no_repository(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / ".git").write_text(text)
    assert repository_at(bytes(tmp_path)) is None


def test_without_a_configuration_the_defaults_hold(top: Path, home: Path) -> None:
    excludes = excludes_of(found(top), bytes(home))
    assert excludes.repository == bytes(top / ".git/info/exclude")
    assert excludes.user == bytes(home / ".config/git/ignore")
    assert bytes(home / ".gitconfig") in excludes.sources
    elsewhere = excludes_of(found(top), bytes(home), b"/xdg")
    assert elsewhere.user == b"/xdg/git/ignore"


def test_the_last_configuration_names_the_user_s_excludes(
    top: Path, home: Path
) -> None:
    (home / ".gitconfig").write_text("[core]\nexcludesFile = ~/mine\n")
    assert user_excludes(top, home) == f"{home}/mine"
    (top / ".git/config").write_text("[core]\nexcludesfile = relative\n")
    assert user_excludes(top, home) == f"{top}/relative"
    (top / ".git/config").write_text("[core]\nexcludesfile =\n")
    assert user_excludes(top, home) == ""


def test_an_included_file_counts_and_is_a_source(top: Path, home: Path) -> None:
    (home / ".gitconfig").write_text("[include]\npath = more\n")
    (home / "more").write_text("[core]\nexcludesFile = /theirs\n")
    excludes = excludes_of(found(top), bytes(home))
    assert excludes.user == b"/theirs"
    assert bytes(home / "more") in excludes.sources


def test_a_file_that_includes_itself_ends(
    top: Path, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (home / ".gitconfig").write_text("[include]\npath = .gitconfig\n")
    excludes_of(found(top), bytes(home))
    assert "too many" in caplog.text
    assert len(caplog.messages) <= MAX_INCLUDE_DEPTH


def test_a_configuration_that_others_may_write_is_not_believed(
    top: Path, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = home / ".gitconfig"
    config.write_text("[core]\nexcludesFile = /theirs\n")
    config.chmod(0o646)
    assert user_excludes(top, home) == f"{home}/.config/git/ignore"
    assert "not believed" in caplog.text


def test_a_configuration_of_somebody_else_is_not_believed(
    top: Path, home: Path
) -> None:
    require_root()
    config = home / ".gitconfig"
    config.write_text("[core]\nexcludesFile = /theirs\n")
    os.chown(config, NOBODY, NOBODY)
    assert user_excludes(top, home) == f"{home}/.config/git/ignore"


@pytest.mark.parametrize("text", ["[core", "[core]\nx = \\q", "\0" * 9, "[" * 99])
def test_a_configuration_that_git_would_refuse_counts_as_absent(
    text: str, top: Path, home: Path
) -> None:
    (home / ".gitconfig").write_text(f"[core]\nexcludesFile = /theirs\n{text}")
    assert user_excludes(top, home) == f"{home}/.config/git/ignore"


def test_a_pipe_in_place_of_a_file_blocks_nothing(top: Path, home: Path) -> None:
    os.mkfifo(home / ".gitconfig")
    os.mkfifo(home / "excludes")
    assert user_excludes(top, home) == f"{home}/.config/git/ignore"
    assert read_excludes(bytes(home / "excludes"), 9) is None


def test_a_directory_in_place_of_a_file_costs_no_descriptor(home: Path) -> None:
    with no_descriptor_is_left_open():
        assert read_excludes(bytes(home), 9) is None


def test_one_byte_more_than_the_limit_is_read(home: Path) -> None:
    (home / "excludes").write_text("12345")
    assert read_excludes(bytes(home / "excludes"), 3) == b"1234"
    assert read_excludes(bytes(home / "missing"), 3) is None
    assert read_excludes(b"", 3) is None
