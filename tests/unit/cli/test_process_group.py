"""The process group of a command: one number from the first run to the last."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gamin.cli.process_group import Ended, ProcessGroup, Stopped
from gamin.system.process_table import group_members
from testkit.waiting import eventually


class Group(ProcessGroup):
    """Ends with the test."""

    def close(self) -> None:
        self.dissolve()

    def ended(self) -> Ended | Stopped:
        found: list[Ended | Stopped] = []

        def has_ended() -> bool:
            state = self.poll()
            found.extend([] if state is None else [state])
            return bool(found)

        eventually(has_ended)
        return found[0]


@pytest.fixture
def group() -> Iterator[Group]:
    with closing(Group(signal.SIGTERM, 0.1)) as made:
        made.prepare()
        yield made


@pytest.mark.parametrize(
    ("ended", "status"), [(Ended(7), 7), (Ended(9, is_signal=True), 137)]
)
def test_a_signal_is_a_status_as_shells_report_it(ended: Ended, status: int) -> None:
    assert ended.exit_status == status


def test_the_end_of_a_command_is_returned_once(group: Group) -> None:
    group.start(["sh", "-c", "exit 7"])
    assert group.is_running
    assert group.ended() == Ended(7)
    assert not group.is_running
    assert group.poll() is None


def test_a_command_that_a_signal_ended_is_distinguished(group: Group) -> None:
    group.start(["sh", "-c", "kill -KILL $$"])
    assert group.ended() == Ended(signal.SIGKILL, is_signal=True)


def test_the_input_is_passed_on_whatever_its_size(group: Group, tmp_path: Path) -> None:
    text = b"x\0\n" * 100_000
    group.start(["sh", "-c", f"cat > {tmp_path}/copy"], text)
    assert group.ended() == Ended(0)
    assert (tmp_path / "copy").read_bytes() == text


def test_the_stop_signal_reaches_what_the_command_has_started(group: Group) -> None:
    group.start(["sh", "-c", "sleep 1000 & wait"])
    eventually(lambda: len(group_members(group.number)) == 3)  # with the sentinel
    group.stop()
    assert group.ended() == Ended(signal.SIGTERM, is_signal=True)
    eventually(lambda: not group.has_members(), what="the end of the others")


def test_the_number_stays_the_same_for_the_next_command(group: Group) -> None:
    number = group.number
    group.start(["true"])
    group.ended()
    group.prepare()
    assert group.number == number


def test_a_suspended_command_is_resumed_to_be_stopped(group: Group) -> None:
    group.start(["sleep", "1000"])
    group.send(signal.SIGSTOP)
    assert group.ended() == Stopped(signal.SIGSTOP)
    group.stop()
    assert group.ended() == Ended(signal.SIGTERM, is_signal=True)


def test_a_program_that_is_missing_is_an_error_and_leaves_no_command(
    group: Group,
) -> None:
    with pytest.raises(FileNotFoundError):
        group.start(["no-such-program-at-all"])
    assert not group.is_running


def test_ctrl_c_is_known_by_the_death_of_the_sentinel(group: Group) -> None:
    assert not group.was_interrupted()
    os.killpg(group.number, signal.SIGINT)  # as a terminal does
    eventually(group.was_interrupted)


def test_a_dissolved_group_has_no_process_left(group: Group) -> None:
    group.start(["sh", "-c", "trap '' TERM; sleep 1000 & wait"])
    number = group.number
    group.dissolve()
    assert group.number == 0
    eventually(lambda: not group_members(number), what="the end of the group")
    group.dissolve()  # changes nothing
