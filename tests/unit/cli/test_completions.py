"""`gamin completions`: the script of a shell, as bytes on standard output."""

import pytest

from gamin.cli import completions
from gamin.cli.main import COMMANDS
from gamin.cli.parser import Parser


def parsed(*words: str) -> int:
    parser = Parser(prog="gamin completions")
    completions.configure(parser)
    return completions.run(parser.parse(words))


@pytest.mark.parametrize("shell", completions.SHELLS)
def test_the_script_of_each_shell_names_every_command(
    shell: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert parsed(shell) == 0
    script = capsysbinary.readouterr().out.decode()
    assert [name for name in COMMANDS if name not in script] == []


def test_another_shell_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("cmd.exe")
    assert "there is no 'cmd.exe'" in capsys.readouterr().err
