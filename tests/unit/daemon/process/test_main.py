"""The command line of `gam_server`; serving is tested with processes."""

import pytest

from gamin.daemon.process.main import main


def test_help_prints_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: gam_server")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["--what"], "'--what'"), (["one", "two"], "'two'")],
)
def test_an_argument_that_is_not_understood_is_a_usage_error(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 64
    assert named in capsys.readouterr().err
