"""The arguments of `gamin publish`."""

import os
from pathlib import Path

import pytest

from gamin.cli.main import main

TO = ["--to", "nats://localhost"]
HOSTILE = os.fsdecode(b"\xff\nnew\x1b[2J\x07") + "\u202e"
"""A name that would act on a terminal, and is not UTF-8."""


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["/srv"], "--to: to which server?"),
        ([*TO], "there is no tree to publish"),
        (["--to", "http://localhost", "/srv"], "a server is nats://HOST"),
        (["--to", "nats://me:secret@localhost", "/srv"], "use a credentials file"),
        ([*TO, "--as", "a b", "/srv"], "letters, digits"),
        ([*TO, "--stream", "a.b", "/srv"], "letters, digits"),
        ([*TO, "/a/b", "/a_b"], "two trees are named"),
        (["--config", "/no/such/file"], "cannot read '/no/such/file'"),
        (["--config", "/no/such/file", "/srv"], "no PATH, no --to"),
        ([*TO, "--ignore-from", "/no/such/file", "/srv"], "cannot read"),
    ],
)
def test_wrong_arguments_are_an_error_that_says_what_to_do(
    words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", *words]) == 1
    error = capsys.readouterr().err
    assert reason in error
    assert "secret" not in error


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([*TO, "--as", HOSTILE, "/srv"], id="a host"),
        pytest.param([*TO, "--stream", HOSTILE, "/srv"], id="a stream"),
        pytest.param(["--to", f"nats://{HOSTILE}", "/srv"], id="a server"),
        pytest.param(["--config", HOSTILE], id="a settings file"),
        pytest.param([*TO, "--ignore-from", HOSTILE, "/srv"], id="rules"),
    ],
)
def test_an_error_about_a_hostile_name_is_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", *words]) == 1
    error = capsys.readouterr().err
    assert error.endswith("\n")
    assert error[:-1].isprintable()


def test_a_mistake_in_a_settings_file_names_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "publish.toml"
    settings.write_text("servers = 1")
    assert main(["publish", "--config", str(settings)]) == 1
    assert f"{settings}: servers must be a list" in capsys.readouterr().err
