"""`gamin state`: what is remembered, shown and removed without a server."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import pytest

from gamin.cli import state
from gamin.cli.parser import Parser


def parsed(*words: str) -> argparse.Namespace:
    parser = Parser(prog="gamin state")
    state.configure(parser)
    return parser.parse(words)


@pytest.fixture
def environ(tmp_path: Path, session: str) -> Mapping[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path), "GAM_CLIENT_ID": session}


def test_nothing_is_looked_at_where_nothing_is_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert state.run(parsed("list"), {"GAMIN_STATE": "off"}) == 0
    assert capsys.readouterr().out == "nothing is kept: GAMIN_STATE is off\n"


def test_the_store_is_a_file_of_the_session(
    environ: Mapping[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert state.run(parsed("where"), environ) == 0
    place = Path(capsys.readouterr().out.rstrip("\n"))
    assert place.parent == tmp_path / "gamin"
    assert environ["GAM_CLIENT_ID"] in place.name


def test_a_store_that_is_not_there_is_empty_and_stays_missing(
    environ: Mapping[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert state.run(parsed("list"), environ) == 0
    assert state.run(parsed("forget", "/nowhere\n"), environ) == 0
    assert capsys.readouterr().out == "/nowhere\\n: 0 forgotten\n"
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_others_may_enter_is_an_error_of_one_line(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    (tmp_path / "gamin").mkdir(mode=0o755)
    (tmp_path / "gamin").chmod(0o755)
    with pytest.raises(state.StateUnusable, match="its mode is 0755"):
        state.run(parsed("list"), environ)


def test_an_unknown_action_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("burn")
    assert "there is no 'burn'" in capsys.readouterr().err
