"""`gamin man`: the manual page as bytes on standard output."""

import argparse

import pytest

from gamin.cli import man
from gamin.cli.main import COMMANDS


def test_the_page_has_a_section_for_every_command(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert man.run(argparse.Namespace()) == 0
    page = capsysbinary.readouterr().out.decode("ascii")
    assert page.startswith(".TH GAMIN 1 ")
    assert [name for name in COMMANDS if f".SS gamin {name}\n" not in page] == []
