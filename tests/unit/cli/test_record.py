"""`gamin record`: its arguments, and a file that is there already."""

import argparse
import signal
from pathlib import Path

import pytest

from gamin.cli import record
from gamin.cli.parser import Parser
from gamin.cli.recording import Unusable


def parsed(*words: str) -> argparse.Namespace:
    parser = Parser(prog="gamin record")
    record.configure(parser)
    return parser.parse(words)


def test_the_file_comes_first_and_the_paths_behind_dashes() -> None:
    args = parsed("-i", "*.o", "--for", "1.5", "out.jsonl", "--", "-a", "b")
    assert (args.file, args.paths) == ("out.jsonl", ["-a", "b"])
    assert (args.ignore, args.duration, args.force) == (["*.o"], 1.5, False)


@pytest.mark.parametrize("duration", ["0", "-1", "soon"])
def test_a_time_that_does_not_end_later_is_wrong_usage(
    duration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parsed("--for", duration, "out.jsonl", "a")
    assert end.value.code == 64
    assert "positive number of seconds" in capsys.readouterr().err


def test_a_recording_is_replaced_only_on_request(tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    file.write_text("precious")
    with pytest.raises(Unusable):
        record.run(parsed(str(file), str(tmp_path)))
    assert file.read_text() == "precious"


def test_without_a_limit_there_is_always_time_left() -> None:
    assert record._left(None) is None
    assert record._left(0.0) == 0.0  # long ago on any clock


def test_an_interrupt_waits_until_what_came_is_written_and_counted() -> None:
    written = []
    interrupts = record.DeferrableInterrupts()

    def write() -> None:
        with interrupts.deferred():
            signal.raise_signal(signal.SIGINT)
            written.append("change")

    with interrupts, pytest.raises(KeyboardInterrupt):
        write()
    assert written == ["change"]


def test_an_interrupt_ends_the_wait_for_changes_at_once() -> None:
    with record.DeferrableInterrupts(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
