"""When a change of content is reported."""

import pytest

from gamin.core.model.subscription import Scope
from gamin.core.throttle.debounce import HOLD_SECONDS
from gamin.events import Kind
from testkit.doubles.clients import V1Client
from testkit.doubles.engine import Shell
from testkit.words import as_words

CALM = 8.0
"""Seconds after which nothing is busy any more."""


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    shell.disk.makedirs(b"/d/sub")
    shell.disk.touch(b"/d/f")
    shell.disk.touch(b"/d/g")
    return shell


def client_of(shell: Shell, path: bytes, scope: Scope) -> V1Client:
    client = shell.v1()
    client.subscribe(path, scope)
    client.rows()
    return client


def received(shell: Shell, client: V1Client) -> list[str]:
    shell.run_once()
    return as_words(client.rows())


def test_a_file_that_is_closed_after_writing_is_reported_at_once(shell: Shell) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    shell.disk.write(b"/d/f")
    assert received(shell, client) == ["changed /d/f"]


def test_a_truncation_and_a_write_are_one_change(shell: Shell) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    shell.disk.modify(b"/d/f")
    shell.sleep(HOLD_SECONDS / 2)
    shell.disk.modify(b"/d/f")
    shell.disk.close(b"/d/f")
    assert received(shell, client) == ["changed /d/f"]
    shell.settle()
    assert received(shell, client) == []


def test_a_file_that_is_not_closed_is_reported_after_20_ms(shell: Shell) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    shell.disk.modify(b"/d/f")
    assert received(shell, client) == []
    shell.sleep(HOLD_SECONDS)
    assert received(shell, client) == ["changed /d/f"]


def test_a_chmod_is_reported_after_20_ms(shell: Shell) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    shell.disk.chmod(b"/d/f", 0o600)
    shell.sleep(HOLD_SECONDS)
    assert received(shell, client) == ["changed /d/f"]


def test_closing_without_writing_is_no_change(shell: Shell) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    shell.disk.close(b"/d/f")
    shell.settle()
    assert received(shell, client) == []


def test_a_write_in_the_batch_that_created_the_file_is_not_reported(
    shell: Shell,
) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    shell.disk.write(b"/d/new")
    shell.settle()
    assert received(shell, client) == ["created /d/new"]


def test_a_write_in_a_later_batch_than_the_creation_is_reported(shell: Shell) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    shell.disk.touch(b"/d/new")
    shell.sleep(0.1)
    shell.disk.write(b"/d/new")
    assert received(shell, client) == ["created /d/new", "changed /d/new"]


def test_several_writers_in_one_batch_are_one_change(shell: Shell) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    for _ in range(3):
        shell.disk.write(b"/d/f")
    assert received(shell, client) == ["changed /d/f"]


def test_a_file_deleted_within_20_ms_is_not_reported_as_changed(shell: Shell) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    shell.disk.modify(b"/d/f")
    shell.disk.unlink(b"/d/f")
    shell.settle()
    assert received(shell, client) == ["deleted /d/f"]


def test_the_fourth_change_within_a_second_makes_a_file_busy(shell: Shell) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    for _ in range(10):
        shell.disk.write(b"/d/f")
        shell.run_once()
    assert received(shell, client) == ["changed /d/f"] * 4
    shell.sleep(1.1)
    assert received(shell, client) == ["changed /d/f"]


def test_a_busy_file_is_reported_once_a_second_and_in_the_end(shell: Shell) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    for _ in range(50):
        shell.disk.write(b"/d/f")
        shell.run_once()
        shell.sleep(0.1)
    reported = received(shell, client)
    assert set(reported) == {"changed /d/f"}
    assert 4 + 3 <= len(reported) <= 4 + 6
    shell.disk.write(b"/d/f")
    shell.sleep(1.1)
    assert received(shell, client) == ["changed /d/f"]
    shell.sleep(CALM)
    shell.disk.write(b"/d/f")
    assert received(shell, client) == ["changed /d/f"]


def test_a_busy_file_that_was_subscribed_to_as_a_tree_is_reported_in_the_end(
    shell: Shell,
) -> None:
    view = shell.view()
    view.subscribe(b"/d/f", Scope.TREE)
    for _ in range(10):
        shell.disk.write(b"/d/f")
        shell.run_once()
    view.rows()
    shell.sleep(1.1)
    assert [row.kind for row in view.rows()] == [Kind.CHANGED]


def test_a_busy_file_does_not_delay_reports_of_other_entries(shell: Shell) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    for _ in range(10):
        shell.disk.write(b"/d/f")
        shell.run_once()
    client.rows()
    shell.disk.write(b"/d/g")
    shell.disk.touch(b"/d/new")
    assert received(shell, client) == ["changed /d/g", "created /d/new"]


def test_the_deletion_of_a_busy_file_is_reported_at_once(shell: Shell) -> None:
    client = client_of(shell, b"/d/f", Scope.FILE)
    for _ in range(10):
        shell.disk.write(b"/d/f")
        shell.run_once()
    client.rows()
    shell.disk.unlink(b"/d/f")
    assert received(shell, client) == ["deleted it"]


def test_a_subscription_to_a_single_path_gets_changes_of_content(shell: Shell) -> None:
    client = client_of(shell, b"/d/f", Scope.FILE)
    shell.disk.write(b"/d/f")
    assert received(shell, client) == ["changed it"]
    shell.disk.utime(b"/d/f")
    shell.disk.write(b"/d/g")
    shell.settle()
    assert received(shell, client) == ["changed it"]


def test_a_subscription_to_a_directory_alone_gets_one_change_for_several_entries(
    shell: Shell,
) -> None:
    client = client_of(shell, b"/d", Scope.FILE)
    shell.disk.touch(b"/d/one")
    shell.disk.touch(b"/d/two")
    assert received(shell, client) == ["changed it/"]
    shell.disk.rename(b"/d/one", b"/d/three")
    assert received(shell, client) == ["changed it/"]
    shell.disk.write(b"/d/two")
    shell.settle()
    assert received(shell, client) == []


def test_the_rights_of_a_subscribed_directory_are_no_change_of_it(shell: Shell) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    alone = client_of(shell, b"/d", Scope.FILE)
    shell.disk.chmod(b"/d", 0o700)
    shell.settle()
    assert received(shell, client) == []
    assert received(shell, alone) == ["changed it/"]


def test_a_constantly_written_file_is_polled_and_reported_in_the_end(
    shell: Shell,
) -> None:
    client = client_of(shell, b"/d", Scope.DIRECTORY)
    for _ in range(250):
        shell.disk.write(b"/d/f")
        shell.run_once()
    assert shell.polling.watches == 1
    queued = len(shell.kernel.inotify.queue)
    shell.disk.write(b"/d/f")
    assert len(shell.kernel.inotify.queue) == queued
    client.rows()
    shell.sleep(2.5)
    assert set(received(shell, client)) == {"changed /d/f"}
    shell.disk.touch(b"/d/new")
    assert received(shell, client) == ["created /d/new"]
    shell.sleep(CALM)
    assert shell.polling.watches == 0
    shell.disk.write(b"/d/f")
    assert received(shell, client) == ["changed /d/f"]


def test_a_busy_file_is_reported_each_time_to_those_whom_flow_control_leaves_alone(
    shell: Shell,
) -> None:
    calm = client_of(shell, b"/d", Scope.TREE)
    eager, alone = shell.v1(), shell.v1()
    eager.subscribe(b"/d", Scope.TREE, is_unthrottled=True)
    alone.subscribe(b"/d/f", Scope.FILE, is_unthrottled=True)
    for client in (eager, alone):
        client.rows()
    for _ in range(20):
        shell.disk.write(b"/d/f")
        shell.run_once()
    assert as_words(eager.rows()) == ["changed /d/f"] * 20
    assert as_words(alone.rows()) == ["changed it"] * 20
    assert len(calm.rows()) == 4
    shell.sleep(1.0)
    assert received(shell, calm) == ["changed /d/f"]
    assert eager.rows() == alone.rows() == []


def test_a_file_in_a_busy_directory_is_reported_to_those_whom_flow_control_leaves_alone(
    shell: Shell,
) -> None:
    eager = shell.v1()
    eager.subscribe(b"/d", Scope.TREE, is_unthrottled=True)
    for _ in range(20):
        shell.disk.touch(b"/d/x")
        shell.run_once()
        shell.disk.unlink(b"/d/x")
        shell.run_once()
    assert shell.monitor.flow.busy
    eager.rows()
    shell.disk.write(b"/d/f")
    assert received(shell, eager) == ["changed /d/f"]
