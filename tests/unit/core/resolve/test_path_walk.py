"""What a path leads to, and that its subscriber learns when that changes."""

import pytest

from gamin.core.model.subscription import Scope
from gamin.core.resolve.path_walk import MAX_LINKS
from gamin.core.resolve.retry import RETRY_SECONDS
from testkit.actions.in_memory import Act
from testkit.doubles.clients import V1Client
from testkit.doubles.disk import READ, SEARCH
from testkit.doubles.engine import Shell, plain_policy
from testkit.words import as_words


@pytest.fixture
def shell() -> Shell:
    return Shell()


def watching(shell: Shell, path: bytes, scope: Scope = Scope.DIRECTORY) -> V1Client:
    client = shell.v1()
    client.subscribe(path, scope)
    return client


def received(shell: Shell, client: V1Client) -> list[str]:
    shell.run_once()
    return as_words(client.rows())


def test_a_missing_path_waits_at_its_nearest_ancestor_and_nowhere_else(
    shell: Shell,
) -> None:
    client = watching(shell, b"/a/b/c")
    assert received(shell, client) == ["deleted it"]
    assert shell.kernel.watches == 1
    assert shell.monitor.deadline() is None


@pytest.mark.parametrize("path", [b"/a", b"/a/b", b"/a/b/c/d/e"])
def test_a_path_that_is_created_is_found_however_much_comes_at_once(
    shell: Shell, path: bytes
) -> None:
    client = watching(shell, path)
    client.rows()
    shell.disk.makedirs(path)
    shell.disk.touch(path + b"/f")
    assert received(shell, client) == ["created it/", f"created {path.decode()}/f"]


def test_a_parent_that_is_renamed_away_takes_the_path_with_it(shell: Shell) -> None:
    shell.disk.makedirs(b"/a/b/c")
    client = watching(shell, b"/a/b/c")
    client.rows()
    shell.disk.rename(b"/a", b"/z")
    assert received(shell, client) == ["deleted it/"]
    shell.disk.rename(b"/z", b"/a")
    assert received(shell, client) == ["created it/"]


def test_an_object_renamed_to_the_path_is_found(shell: Shell) -> None:
    shell.disk.makedirs(b"/x/b/c")
    client = watching(shell, b"/a/b/c")
    client.rows()
    shell.disk.rename(b"/x", b"/a")
    assert received(shell, client) == ["created it/"]


def test_a_replaced_parent_is_another_directory(shell: Shell) -> None:
    shell.disk.makedirs(b"/a/b")
    shell.disk.touch(b"/a/b/old")
    shell.disk.makedirs(b"/x/b")
    shell.disk.touch(b"/x/b/new")
    client = watching(shell, b"/a/b")
    client.rows()
    shell.disk.rename(b"/a", b"/y")
    shell.disk.rename(b"/x", b"/a")
    assert received(shell, client) == ["deleted it/", "created it/", "created /a/b/new"]


def test_a_link_is_followed_to_its_new_target(shell: Shell) -> None:
    shell.disk.makedirs(b"/one")
    shell.disk.touch(b"/one/f")
    shell.disk.makedirs(b"/two")
    shell.disk.symlink(b"one", b"/link")
    client = watching(shell, b"/link")
    assert received(shell, client) == ["exists it/", "exists /one/f"]
    shell.disk.symlink(b"/two", b"/new")
    shell.disk.rename(b"/new", b"/link")
    assert received(shell, client) == ["deleted it/", "created it/"]
    shell.disk.touch(b"/two/g")
    assert received(shell, client) == ["created /two/g"]


def test_a_dangling_link_waits_for_its_target(shell: Shell) -> None:
    shell.disk.makedirs(b"/box")
    shell.disk.symlink(b"../far/away", b"/box/link")
    client = watching(shell, b"/box/link", Scope.FILE)
    assert received(shell, client) == ["deleted it"]
    shell.disk.makedirs(b"/far")
    shell.disk.touch(b"/far/away")
    assert received(shell, client) == ["created it"]
    shell.disk.unlink(b"/box/link")
    assert received(shell, client) == ["deleted it"]


def test_links_in_a_circle_lead_nowhere(shell: Shell) -> None:
    shell.disk.symlink(b"/b", b"/a")
    shell.disk.symlink(b"/a", b"/b")
    client = watching(shell, b"/a/x")
    assert received(shell, client) == ["deleted it"]
    assert shell.calls <= MAX_LINKS + 10


def test_two_dots_lead_up_from_where_a_link_led(shell: Shell) -> None:
    shell.disk.makedirs(b"/far/deep")
    shell.disk.makedirs(b"/far/near")
    shell.disk.symlink(b"/far/deep", b"/link")
    client = watching(shell, b"/link/../near")
    assert received(shell, client) == ["exists it/"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(b"/f", ["exists it"], id="a file"),
        pytest.param(b"//box/.//f", ["exists it"], id="slashes and dots"),
        pytest.param(b"/f/", ["deleted it"], id="a slash after a file"),
        pytest.param(b"/f/x", ["deleted it"], id="below a file"),
        pytest.param(b"/box/", ["exists it/"], id="a slash after a directory"),
        pytest.param(b"/", ["exists it/"], id="the root"),
    ],
)
def test_a_path_is_followed_as_the_kernel_does_it(
    shell: Shell, path: bytes, expected: list[str]
) -> None:
    shell.disk.touch(b"/f")
    shell.disk.mkdir(b"/box")
    shell.disk.touch(b"/box/f")
    assert received(shell, watching(shell, path, Scope.FILE)) == expected


def test_two_paths_to_one_directory_share_its_watch(shell: Shell) -> None:
    shell.disk.makedirs(b"/box")
    watching(shell, b"/box")
    before = shell.kernel.watches
    shell.disk.symlink(b"/box", b"/link")
    other = watching(shell, b"/link")
    other.rows()
    assert shell.kernel.watches == before
    shell.disk.touch(b"/box/f")
    assert received(shell, other) == ["created /box/f"]


def test_changes_beside_the_path_cause_no_probe(shell: Shell) -> None:
    shell.disk.makedirs(b"/a/b")
    watching(shell, b"/a/b")
    calls = shell.calls
    shell.disk.touch(b"/a/other")
    shell.disk.mkdir(b"/other")
    shell.run_once()
    assert shell.calls == calls


def test_a_path_through_an_unreadable_directory_is_walked_again_every_second(
    shell: Shell,
) -> None:
    shell.disk.makedirs(b"/dark/box")
    shell.disk.chmod(b"/dark", 0o300)
    client = watching(shell, b"/dark/box/f", Scope.FILE)
    assert received(shell, client) == ["deleted it"]
    shell.disk.rename(b"/dark/box", b"/dark/bin")
    shell.disk.makedirs(b"/dark/box")
    shell.disk.touch(b"/dark/box/f")
    shell.sleep(RETRY_SECONDS)
    assert received(shell, client)[0] == "created it"


def test_a_right_that_is_given_back_is_detected_at_once(shell: Shell) -> None:
    shell.disk.makedirs(b"/dark/box")
    shell.disk.chmod(b"/dark", 0o000)
    client = watching(shell, b"/dark/box")
    assert received(shell, client) == ["deleted it"]
    shell.disk.chmod(b"/dark", 0o755)
    assert received(shell, client) == ["created it/"]


def test_a_cancelled_subscription_leaves_nothing_behind(shell: Shell) -> None:
    shell.disk.symlink(b"/a/b", b"/link")
    client = watching(shell, b"/link/c")
    client.cancel(client.subscriptions[0])
    assert shell.kernel.watches == 0
    assert list(shell.monitor.tree.root.subtree()) == [shell.monitor.tree.root]
    shell.disk.makedirs(b"/a/b/c")
    assert received(shell, client) == ["deleted it"]


@pytest.mark.parametrize("is_listed", [False, True])
@pytest.mark.parametrize("is_polled", [False, True])
def test_a_file_of_the_same_name_in_a_replacing_directory_is_another_one(
    is_polled: bool, is_listed: bool
) -> None:
    """Its directory came back to the same place before the next probe."""
    shell = Shell(plain_policy(poll_only=is_polled), has_kernel=not is_polled)
    for folder in (b"/d", b"/other"):
        shell.disk.mkdir(folder)
        shell.disk.touch(folder + b"/f")
    client = watching(shell, b"/d/f", Scope.FILE)
    if is_listed:
        shell.view().subscribe(b"/d", Scope.DIRECTORY)
    shell.sleep(2)
    client.rows()
    shell.disk.rename(b"/d", b"/away")
    shell.disk.rename(b"/other", b"/d")
    shell.sleep(2)
    assert as_words(client.rows()) == ["changed it"]


@pytest.mark.parametrize("is_unlocked", [True, False])
def test_another_directory_behind_an_unreadable_one_is_found(
    shell: Shell, is_unlocked: bool
) -> None:
    """No event says that it changed places: the path is walked again each second, and
    when the rights of the directory change."""
    shell.disk.makedirs(b"/w/a")
    shell.disk.touch(b"/w/a/old")
    shell.disk.makedirs(b"/w/b")
    shell.disk.touch(b"/w/b/new")
    shell.disk.chmod(b"/w", SEARCH)
    client = watching(shell, b"/w/a")
    client.rows()
    Act("swap", b"/w/a", b"/w/b").on(shell)
    if is_unlocked:
        shell.disk.chmod(b"/w", READ | SEARCH)
        shell.run_once()
    else:
        shell.sleep(2 * RETRY_SECONDS)
    assert as_words(client.rows()) == ["deleted /w/a/old", "created /w/a/new"]
