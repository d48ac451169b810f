"""Distant mounts: what is known, asked for and reported while they do not answer."""

import errno
from contextlib import suppress

import pytest

from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy
from gamin.core.model.subscription import Scope
from gamin.engine.distant import PollRequest
from gamin.engine.mount_executor import RETRY_SECONDS
from testkit.doubles.clients import View
from testkit.doubles.disk import error
from testkit.doubles.engine import Shell
from testkit.words import as_words

LOCAL = Mount(b"/", "ext4", id=b"1")
NET = Mount(b"/net", "nfs", id=b"2", parent=b"1")
FAR = Mount(b"/far", "nfs", id=b"3", parent=b"1")


@pytest.fixture
def shell() -> Shell:
    shell = Shell(Policy((), Mounts([LOCAL, NET, FAR])))
    for path in (b"/here", b"/net/d/e", b"/far"):
        shell.disk.makedirs(path)
    shell.disk.touch(b"/net/d/old")
    shell.now += 1
    return shell


def following(shell: Shell, path: bytes, scope: Scope = Scope.TREE) -> View:
    view = shell.view()
    view.subscribe(path, scope)
    shell.run_once()
    return view


def rows(view: View) -> list[str]:
    view.flush()
    return as_words(view.rows())


def test_nothing_is_looked_at_on_a_distant_mount_by_the_loop(shell: Shell) -> None:
    following(shell, b"/net/d")
    shell.answer()
    before = shell.calls
    shell.disk.touch(b"/net/d/new")
    shell.synchronise()
    shell.sleep(30)
    assert shell.calls == before


def test_a_client_beside_a_silent_mount_gets_its_events(shell: Shell) -> None:
    silent = following(shell, b"/net/d")
    beside = following(shell, b"/here")
    rows(beside)
    shell.disk.touch(b"/here/new")
    shell.run_once()
    assert rows(beside) == ["created /here/new"]
    assert rows(silent) == []


def test_changes_on_a_distant_mount_are_reported_when_it_answers(shell: Shell) -> None:
    view = following(shell, b"/net/d")
    shell.answer()
    rows(view)
    shell.disk.touch(b"/net/d/e/new")
    shell.disk.unlink(b"/net/d/old")
    shell.sleep(6)
    shell.answer()
    assert sorted(rows(view)) == ["created /net/d/e/new", "deleted /net/d/old"]


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_answers_of_two_mounts_come_in_any_order(
    shell: Shell, *, newest_first: bool
) -> None:
    net, far = following(shell, b"/net/d"), following(shell, b"/far")
    shell.answer(newest_first=newest_first)
    rows(net), rows(far)
    shell.disk.touch(b"/net/d/new")
    shell.disk.touch(b"/far/new")
    shell.sleep(6)
    shell.answer(newest_first=newest_first)
    assert rows(net) == ["created /net/d/new"]
    assert rows(far) == ["created /far/new"]


def test_errors_of_a_whole_mount_delete_nothing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = following(shell, b"/net/d")
    shell.answer()
    rows(view)
    with monkeypatch.context() as broken:

        def fails(path: bytes) -> None:
            raise error(errno.ENOTCONN, path)

        broken.setattr(shell.disk, "listing", fails)
        broken.setattr(shell.disk, "inode", fails)
        broken.setattr(shell.disk, "directory", fails)
        shell.sleep(6)
        shell.answer()
        assert rows(view) == []
        assert shell.threads.executors[NET].trouble
    shell.disk.touch(b"/net/d/new")
    shell.sleep(2 * RETRY_SECONDS)
    shell.answer()
    found = rows(view)
    assert "created /net/d/new" in found
    assert not [line for line in found if line.startswith("deleted")]
    assert not shell.threads.executors[NET].trouble


def test_a_mount_that_is_gone_before_it_answered_is_looked_at_as_what_is_there(
    shell: Shell,
) -> None:
    view = following(shell, b"/net/d")
    shell.change_policy(Policy((), Mounts([LOCAL, FAR])))
    shell.run_once()
    assert NET not in shell.threads.executors
    rows(view)
    shell.disk.touch(b"/net/d/new")
    shell.run_once()
    assert rows(view) == ["created /net/d/new"]


def test_an_answer_that_there_is_no_memory_for_is_applied_later(shell: Shell) -> None:
    view = following(shell, b"/net/d")
    shell.lacks_memory = 1
    shell.answer()
    assert shell.lacks_memory == 0
    assert "exists /net/d/old" in rows(view)


def test_an_answer_that_meets_a_bug_is_not_applied_again_and_again(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    following(shell, b"/net/d")
    following(shell, b"/far")

    def bug(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(shell.monitor, "listed", bug)
    shell.threads.work()
    shell.executor.answered()
    for _ in range(10):
        with suppress(RuntimeError):
            shell.executor.due()
    assert not shell.executor.distant.inbox


LOCAL_AGAIN, ANOTHER = [FAR], [NET._replace(id=b"9"), FAR]


@pytest.mark.parametrize("next_mounts", [LOCAL_AGAIN, ANOTHER])
def test_a_file_that_is_written_just_before_its_mount_changes_is_reported(
    shell: Shell, next_mounts: list[Mount]
) -> None:
    view = following(shell, b"/net/d")
    shell.answer()
    rows(view)
    shell.disk.write(b"/net/d/old")
    shell.change_policy(Policy((), Mounts([LOCAL, *next_mounts])))
    shell.disk.write(b"/net/d/old")
    shell.answer()
    assert "changed /net/d/old" in rows(view)


def test_a_thread_ends_with_the_last_client_of_its_mount(shell: Shell) -> None:
    view = following(shell, b"/net/d")
    shell.answer()
    assert NET in shell.threads.executors
    view.cancel(view.subscriptions[0])
    shell.answer()
    assert not shell.threads.executors


def test_a_path_that_is_missing_on_a_distant_mount_is_waited_for(shell: Shell) -> None:
    view = following(shell, b"/net/d/e/file", Scope.FILE)
    shell.answer()
    rows(view)
    shell.disk.touch(b"/net/d/e/file")
    shell.sleep(6)
    shell.answer()
    assert rows(view) == ["created it"]


def test_a_subscription_waits_for_a_mount_that_does_not_answer(shell: Shell) -> None:
    shell.threads.silent.add(b"/net")
    view = following(shell, b"/net/d")
    beside = following(shell, b"/far")
    shell.answer()
    distant = shell.executor.distant
    assert distant.stalled_mount(view.subscriptions[0]) == NET
    assert distant.stalled_mount(beside.subscriptions[0]) is None
    shell.threads.silent.clear()
    shell.answer()
    assert distant.stalled_mount(view.subscriptions[0]) is None
    shell.disk.touch(b"/net/d/new")
    shell.sleep(6)
    shell.answer()
    assert "created /net/d/new" in rows(view)


def test_what_is_polled_on_a_distant_mount_is_polled_when_somebody_asks(
    shell: Shell,
) -> None:
    view = following(shell, b"/net/d")
    shell.answer()
    rows(view)
    shell.disk.touch(b"/net/d/new")
    done: list[bool] = []
    distant = shell.executor.distant
    asked = distant.poll_now(view.subscriptions[0], lambda: done.append(True))
    assert asked == PollRequest(NET, is_sent=True)
    assert not done
    shell.answer()
    assert done
    assert rows(view) == ["created /net/d/new"]


def test_nobody_polls_a_mount_that_is_stalled(shell: Shell) -> None:
    view = following(shell, b"/net/d")
    shell.answer()
    shell.threads.silent.add(b"/net")
    done: list[bool] = []
    asked = shell.executor.distant.poll_now(
        view.subscriptions[0], lambda: done.append(True)
    )
    assert asked == PollRequest(NET, is_sent=False)
    shell.threads.silent.clear()
    shell.answer()
    assert not done


def test_an_automount_is_an_empty_directory_and_nobody_looks(shell: Shell) -> None:
    auto = Mount(b"/net", "autofs", id=b"4", parent=b"1")
    shell.change_policy(Policy((), Mounts([LOCAL, auto, FAR])))
    following(shell, b"/net/d")
    following(shell, b"/net")
    shell.answer()
    assert not shell.threads.executors
