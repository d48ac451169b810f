"""What subscribers get when their path leads elsewhere."""

import pytest

from gamin.core.model.subscription import Scope
from gamin.core.model.tree import TOUCH_LIMIT
from testkit.doubles.clients import Client
from testkit.doubles.engine import Shell
from testkit.words import as_words


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    shell.disk.makedirs(b"/d/sub")
    shell.disk.touch(b"/d/f")
    return shell


def v1(shell: Shell, path: bytes, scope: Scope = Scope.DIRECTORY) -> Client:
    client = shell.v1()
    client.subscribe(path, scope)
    return client


def received(shell: Shell, client: Client) -> list[str]:
    shell.run_once()
    return as_words(client.rows())


@pytest.mark.parametrize(
    ("path", "scope", "first"),
    [
        (b"/d", Scope.DIRECTORY, ["exists it/", "exists /d/f", "exists /d/sub/"]),
        (b"/d", Scope.FILE, ["exists it/"]),
        (b"/d/f", Scope.FILE, ["exists it"]),
        (b"/d/f", Scope.DIRECTORY, ["deleted it"]),
        (b"/x", Scope.DIRECTORY, ["deleted it"]),
        (b"/x", Scope.FILE, ["deleted it"]),
    ],
)
def test_the_first_rows_say_what_is_there(
    shell: Shell, path: bytes, scope: Scope, first: list[str]
) -> None:
    assert received(shell, v1(shell, path, scope)) == first


def test_a_file_at_the_path_of_a_tree_is_reported_unless_only_directories_count(
    shell: Shell,
) -> None:
    view = shell.view()
    view.subscribe(b"/d/f", Scope.TREE)
    assert as_words(view.rows())[-1] == "exists it"
    shell.disk.write(b"/d/f")
    assert received(shell, view) == ["changed it"]
    shell.disk.unlink(b"/d/f")
    shell.disk.makedirs(b"/d/f/g")
    assert received(shell, view) == ["deleted it", "created it/", "created /d/f/g/"]


def test_a_directory_that_goes_and_comes_back_is_deleted_and_created(
    shell: Shell,
) -> None:
    client = v1(shell, b"/d")
    client.rows()
    shell.disk.rmtree(b"/d")
    assert received(shell, client)[-1] == "deleted it/"
    shell.disk.makedirs(b"/d/new")
    assert received(shell, client) == ["created it/", "created /d/new/"]


def test_a_directory_that_others_have_listed_is_reported_at_once(
    shell: Shell,
) -> None:
    v1(shell, b"/d")
    client = v1(shell, b"/link")
    client.rows()
    shell.disk.symlink(b"/d", b"/link")
    calls = shell.calls
    reported = received(shell, client)
    assert reported == ["created it/", "created /d/f", "created /d/sub/"]
    assert shell.calls - calls == 1  # the look at the link


def test_a_file_renamed_over_is_a_change(shell: Shell) -> None:
    client = v1(shell, b"/d/f", Scope.FILE)
    client.rows()
    shell.disk.touch(b"/new")
    shell.disk.rename(b"/new", b"/d/f")
    assert received(shell, client) == ["changed it"]


def test_a_file_that_goes_and_comes_within_a_batch_is_a_change(shell: Shell) -> None:
    client = v1(shell, b"/d/f", Scope.FILE)
    client.rows()
    shell.disk.unlink(b"/d/f")
    shell.disk.touch(b"/d/f")
    assert received(shell, client) == ["changed it"]


def test_a_file_that_becomes_a_directory_is_a_change_for_a_path_subscription(
    shell: Shell,
) -> None:
    client = v1(shell, b"/d/f", Scope.FILE)
    client.rows()
    shell.disk.unlink(b"/d/f")
    shell.disk.mkdir(b"/d/f")
    assert received(shell, client) == ["changed it/"]


def test_a_single_path_that_comes_and_goes_is_reported_each_time(shell: Shell) -> None:
    client = v1(shell, b"/d/f", Scope.FILE)
    client.rows()
    for _ in range(2):
        shell.disk.unlink(b"/d/f")
        shell.run_once()
        shell.disk.touch(b"/d/f")
        shell.run_once()
    assert as_words(client.rows()) == ["deleted it", "created it"] * 2


def test_a_path_that_never_rests_is_reported_once_a_second_and_rightly_in_the_end(
    shell: Shell,
) -> None:
    client = v1(shell, b"/d/f", Scope.FILE)
    client.rows()
    for _ in range(100):
        shell.disk.unlink(b"/d/f")
        shell.run_once()
        shell.disk.touch(b"/d/f")
        shell.run_once()
    shell.disk.unlink(b"/d/f")
    shell.run_once()
    assert len(client.rows()) <= 12
    shell.sleep(1.1)
    assert as_words([client.received[-1][1]]) == ["deleted it"]


def test_a_slow_client_of_a_file_gets_the_difference(shell: Shell) -> None:
    client = v1(shell, b"/d/f", Scope.FILE)
    client.reads = False
    shell.disk.write(b"/d/f")
    shell.run_once()  # this one the socket still takes
    client.rows()
    shell.disk.write(b"/d/f")
    shell.run_once()
    client.read()
    assert as_words(client.rows()) == ["changed it"]
    client.reads = False
    shell.disk.unlink(b"/d/f")
    shell.run_once()
    client.rows()
    shell.disk.touch(b"/d/f")
    shell.run_once()
    client.read()
    assert as_words(client.rows()) == ["created it"]


def test_a_client_that_is_too_far_behind_gets_everything_again(shell: Shell) -> None:
    client = v1(shell, b"/d")
    client.reads = False
    shell.disk.touch(b"/d/x")
    shell.run_once()
    client.rows()
    shell.disk.unlink(b"/d/x")
    shell.run_once()
    tree = shell.monitor.tree
    for number in range(TOUCH_LIMIT):
        tree.tick += 1
        tree.add(tree.root, b"%d" % number, False)
        tree.remove(tree.root, b"%d" % number)
        tree.age_out()
    client.read()
    assert as_words(client.rows()) == [
        "deleted it/",
        "created it/",
        "created /d/f",
        "created /d/sub/",
    ]


def test_the_difference_since_a_forgotten_tick_is_unknown(shell: Shell) -> None:
    view = shell.view()
    subscription = view.subscribe(b"/d", Scope.TREE)
    shell.monitor.tree.floor = shell.monitor.tree.tick
    assert shell.rows_since(subscription, 1) is None
    assert shell.rows_since(subscription, shell.monitor.tree.tick) == []


def test_a_client_that_reads_late_gets_an_undetected_change_of_its_path(
    shell: Shell,
) -> None:
    view = shell.view()
    view.subscribe(b"/d/f", Scope.TREE)
    view.reads = False
    view.rows()
    shell.sleep(1)
    shell.kernel.inotify.choke()
    shell.disk.chmod(b"/d/f", 0o600)
    shell.run_once()
    view.read()
    assert as_words(view.rows()) == ["changed it"]
