"""One question to the server, and every failure that may follow."""

import re
from pathlib import Path

import pytest

from gamin.cli.control import NoReply, NotRunning, dial
from gamin.errors import RemoteProtocolError
from testkit.scripted_server import line_to


def test_the_answer_is_what_the_server_says(tmp_path: Path) -> None:
    with line_to(b'{"version":"1","x":[2]}\n', tmp_path) as line:
        assert line.ask("gamin-x") == {"version": "1", "x": [2]}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        pytest.param(b'{"error":"no such\\u001b"}\n', "no such\x1b", id="a refusal"),
        pytest.param(b"", "hung up", id="nothing at all"),
        pytest.param(b'{"half', "busy or stopped", id="half an answer"),
    ],
)
def test_a_missing_reply_is_an_error_that_says_why(
    answer: bytes, problem: str, tmp_path: Path
) -> None:
    said = pytest.raises(NoReply, match=f"'gamin-x': .*{re.escape(problem)}")
    with line_to(answer, tmp_path, timeout=0.2) as line, said:
        line.ask("gamin-x")


def test_another_language_is_an_error(tmp_path: Path) -> None:
    with line_to(b"hello\n", tmp_path) as line, pytest.raises(RemoteProtocolError):
        line.ask("gamin-x")


def test_await_end_is_false_while_the_server_stays(tmp_path: Path) -> None:
    with line_to(b"{}\n", tmp_path) as line:
        line.ask("gamin-x")
        assert not line.await_end(0.05)


def test_dial_never_starts_a_server(tmp_path: Path) -> None:
    environ = {"GAM_CLIENT_ID": "nobody", "GAMIN_SOCKET_DIR": str(tmp_path)}
    with pytest.raises(NotRunning, match="no server is running for session 'nobody'"):
        dial(environ)
    assert not list(tmp_path.iterdir())
