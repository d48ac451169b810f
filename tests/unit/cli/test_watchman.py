"""`gamin watchman`: which requests make sense, and what needs no server."""

import json
from pathlib import Path

import pytest

from gamin import __version__
from gamin.cli import watchman
from gamin.cli.parser import Parser
from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.version import VERSION


@pytest.fixture
def nobody(session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session without a server."""
    monkeypatch.setenv("GAM_CLIENT_ID", session)
    monkeypatch.setenv("GAMIN_SOCKET_DIR", str(tmp_path))
    monkeypatch.delenv("WATCHMAN_SOCK", raising=False)


def run(*words: str) -> int:
    parser = Parser(prog="gamin watchman")
    watchman.configure(parser)
    return watchman.run(parser.parse(["--no-spawn", "--no-pretty", *words]))


def test_the_root_of_a_request_is_made_absolute_and_real(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    resolved = watchman._with_absolute_root(["query", "link", {"fields": []}])
    assert resolved == ["query", str(tmp_path / "real"), {"fields": []}]


@pytest.mark.parametrize(
    "request_", [["query", "/no/such/place"], ["query", "nul\0"], ["version"]]
)
def test_other_requests_are_sent_as_they_are(request_: list[object]) -> None:
    assert watchman._with_absolute_root(request_) == request_


@pytest.mark.parametrize(
    "request_", [None, {}, "query", [], ["query"], ["query", 7], ["watch", None]]
)
def test_a_request_without_a_sensible_root_is_refused(request_: object) -> None:
    with pytest.raises(BadRequest):
        watchman._with_absolute_root(request_)


@pytest.mark.usefixtures("nobody")
def test_what_needs_no_server_is_answered_without_one(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run("version") == 0
    assert json.loads(capsysbinary.readouterr().out)["version"] in (
        VERSION,
        __version__,
    )
    assert run("list-capabilities") == 0
    assert "cmd-query" in json.loads(capsysbinary.readouterr().out)["capabilities"]
    assert run("get-sockname") == 0
    assert "sockname" in json.loads(capsysbinary.readouterr().out)


@pytest.mark.usefixtures("nobody")
def test_what_needs_a_server_is_an_error_without_one(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run("watch", str(tmp_path)) == 1
    answer = json.loads(capsysbinary.readouterr().out)
    assert "not available in this mode" in answer["error"]
    assert answer["version"] == VERSION


@pytest.mark.usefixtures("nobody")
def test_nothing_is_answered_here_if_that_is_not_wanted(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run("--no-local", "version") == 1
    assert capsysbinary.readouterr().out == b""


@pytest.mark.usefixtures("nobody")
def test_a_request_without_a_root_is_answered_in_json(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run("query") == 1
    answer = json.loads(capsysbinary.readouterr().out)
    assert answer["cli_validated"] is True
    assert answer["error"]
