"""What nothing reports is tried again every second, and only while that is needed."""

import errno

import pytest

from gamin.core.model.subscription import Scope
from gamin.core.resolve.retry import RETRY_SECONDS
from gamin.engine.ports import Entries
from testkit.doubles.clients import View
from testkit.doubles.engine import Shell
from testkit.words import as_words


@pytest.fixture
def shell() -> Shell:
    return Shell()


@pytest.fixture
def client(shell: Shell) -> View:
    shell.disk.makedirs(b"/d")
    client = shell.view()
    client.subscribe(b"/d", Scope.TREE)
    shell.sleep(1)
    client.rows()
    return client


@pytest.mark.parametrize(
    "failure", [OSError(errno.EMFILE, ""), OSError(errno.EIO, ""), MemoryError()]
)
def test_a_directory_that_could_not_be_listed_is_listed_later(
    shell: Shell, client: View, failure: Exception
) -> None:
    shell.files.failures += [failure] * 3
    shell.disk.makedirs(b"/d/new/deep")
    shell.disk.touch(b"/d/new/file")
    shell.run_once()
    node = shell.monitor.tree.find(b"/d/new")
    assert set(shell.monitor.coverage.registers.unlisted) == {node}
    shell.sleep(3 * RETRY_SECONDS)
    assert not shell.monitor.coverage.registers.unlisted
    client.flush()
    rows = set(as_words(client.rows()))
    assert {"created /d/new/file", "created /d/new/deep/"} <= rows
    assert shell.executor.deadline() is None


def test_a_directory_that_cannot_be_listed_is_tried_once_a_second(
    shell: Shell, client: View
) -> None:
    shell.files.failures += [OSError(errno.EIO, "")] * 100
    shell.disk.mkdir(b"/d/new")
    shell.run_once()
    left = len(shell.files.failures)
    shell.sleep(10 * RETRY_SECONDS)
    assert left - len(shell.files.failures) == 10


def test_a_directory_that_is_gone_is_not_tried_again(
    shell: Shell, client: View
) -> None:
    shell.files.failures.append(OSError(errno.EMFILE, ""))
    shell.disk.mkdir(b"/d/new")
    shell.run_once()
    assert shell.executor.deadline() is not None
    shell.disk.rmdir(b"/d/new")
    shell.run_once()
    assert not shell.monitor.coverage.registers.unlisted
    shell.sleep(RETRY_SECONDS)
    assert shell.executor.deadline() is None


def test_a_directory_that_was_gone_before_its_parent_was_watched_is_found_out(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.disk.makedirs(b"/d")
    shell.disk.touch(b"/d/keep")
    scan, phantoms = shell.files.scan, [b"phantom"]

    def scan_with_phantom(path: bytes, since: int) -> Entries:
        directories, others, changed = scan(path, since)
        if path == b"/d" and phantoms:
            directories = [*directories, phantoms.pop()]
        return directories, others, changed

    monkeypatch.setattr(shell.files, "scan", scan_with_phantom)
    client = shell.view()
    client.subscribe(b"/d", Scope.TREE)
    client.rows()
    assert shell.monitor.coverage.registers.misplaced
    shell.sleep(RETRY_SECONDS)
    assert not shell.monitor.coverage.registers.misplaced
    assert as_words(client.rows()) == ["deleted /d/phantom/"]
    assert shell.executor.deadline() is None
