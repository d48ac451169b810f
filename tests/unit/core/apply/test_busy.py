"""What follows when flow control says that something is due."""

import pytest

from gamin.config.flow_settings import FlowSettings
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope
from testkit.doubles.clients import Client
from testkit.doubles.engine import Shell
from testkit.words import as_words

FLOW = FlowSettings(churn_per_second=2, reports_per_second=2, raw_events_per_second=5)


@pytest.fixture
def shell() -> Shell:
    shell = Shell(settings=FLOW)
    shell.disk.makedirs(b"/d")
    shell.disk.touch(b"/d/f")
    return shell


@pytest.fixture
def client(shell: Shell) -> Client:
    client = shell.view()
    client.subscribe(b"/d", Scope.DIRECTORY)
    client.rows()
    return client


def directory(shell: Shell) -> Node:
    node = shell.monitor.tree.find(b"/d")
    assert node is not None
    return node


def churn(shell: Shell, times: int) -> None:
    for _ in range(times):
        shell.disk.touch(b"/d/short")
        shell.run_once()
        shell.disk.unlink(b"/d/short")
        shell.run_once()


def test_the_difference_of_a_busy_directory_is_reported_when_it_is_due(
    shell: Shell, client: Client
) -> None:
    churn(shell, 3)
    client.rows()
    shell.disk.touch(b"/d/new")
    shell.run_once()
    assert client.rows() == []
    shell.sleep(1.2)
    assert as_words(client.rows()) == ["created /d/new"]


def test_a_busy_file_is_reported_when_it_is_due(shell: Shell, client: Client) -> None:
    for _ in range(4):
        shell.disk.write(b"/d/f")
        shell.run_once()
    client.rows()
    shell.sleep(1.2)
    assert as_words(client.rows()) == ["changed /d/f"]


def test_a_hot_file_that_calmed_down_is_watched_by_the_kernel_again(
    shell: Shell, client: Client
) -> None:
    for _ in range(20):
        shell.disk.write(b"/d/f")
        shell.run_once()
    assert directory(shell).poll_mask
    shell.sleep(10)
    assert not directory(shell).poll_mask
    assert not shell.monitor.flow.busy


def test_content_is_polled_until_the_last_hot_file_calmed_down(
    shell: Shell, client: Client
) -> None:
    shell.disk.touch(b"/d/g")
    shell.run_once()
    for times in (1, 1, 1, 20):
        for _ in range(times):
            shell.disk.write(b"/d/f")
            shell.disk.write(b"/d/g")
        shell.run_once()
    for _ in range(8):
        shell.sleep(1)
        shell.disk.write(b"/d/g")
    assert (directory(shell), b"f") not in shell.monitor.flow.busy
    assert directory(shell).poll_mask
    shell.sleep(10)
    assert not directory(shell).poll_mask
