"""`gamin stop` and a real server."""

from pathlib import Path

import pytest

from gamin.client.connect import connect_gam, connect_watchman
from gamin.client.locate import NoServer
from testkit.programs import gamin, outcome
from testkit.servers import OUR_SERVER, running_server


def test_the_addresses_are_free_when_stop_returns(tmp_path: Path) -> None:
    with running_server([str(OUR_SERVER)], home=str(tmp_path)) as server:
        done = gamin("stop", session=server.session)
        assert (*outcome(done), done.stdout) == (0, [], "")
        for connect in (connect_gam, connect_watchman):
            with pytest.raises(NoServer):
                connect(start=False, session=server.session, environ={})


def test_without_a_server_there_is_nothing_to_do(session: str) -> None:
    done = gamin("stop", session=session)
    assert outcome(done) == (0, [])
    assert done.stdout.startswith(f"no server is running for session '{session}'")
