"""The package is upgraded or removed while its server runs."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gamin
from gamin.client.locate import NoServer
from testkit.asker import Asker
from testkit.daemon import Daemon, is_hung_up, works
from testkit.waiting import eventually

PROGRAM = """\
import sys
sys.path.insert(0, sys.argv[1])
from gamin.daemon.process import preload
preload.LATE_MODULES = preload.LATE_MODULES[:int(sys.argv[2])]
sys.argv[1:] = ["--notimeout"]
from gamin.daemon.process.start import main
sys.exit(main())
"""
ALL = 1000
"""More than there are modules."""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy that may be removed."""
    source = Path(gamin.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source, tmp_path / "lib" / "gamin", ignore=ignored)
    return tmp_path / "lib"


@pytest.fixture
def served(
    session: str, tmp_path: Path, package: Path, request: pytest.FixtureRequest
) -> Iterator[Daemon]:
    """A server of the copy, to which nobody has spoken the Watchman language.

    Its parameter is how many modules it imports while it is idle.
    """
    places = {
        "GAM_CLIENT_ID": session,
        "GAMIN_SOCKET_DIR": str(tmp_path),
        "GAM_DEBUG": "1",
        "HOME": str(tmp_path),
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", PROGRAM, str(package), str(request.param)],
            env=os.environ | places,
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
    with process:
        served = Daemon(process, session, tmp_path)
        try:
            eventually(lambda: _answers(served), what="the server listening")
            yield served
        finally:
            process.kill()


def _answers(served: Daemon) -> bool:
    try:
        served.connect().close()
    except (NoServer, OSError):
        return False
    return True


@pytest.mark.parametrize("served", [ALL], indirect=True)
def test_a_server_whose_package_is_removed_goes_on_to_serve(
    served: Daemon, package: Path, tmp_path: Path
) -> None:
    eventually(
        lambda: any("all modules are imported" in line for line in served.log()),
        what="the end of the imports",
    )
    shutil.rmtree(package)
    assert works(served, tmp_path / "box")
    root = str((tmp_path / "box").resolve())
    with Asker(served.watchman()) as asker:
        for request in (
            ["version", {"optional": ["relative_root"]}],
            ["list-capabilities"],
            ["watch-project", root],
            ["clock", root],
            ["find", root, "*.c"],
            ["query", root, {"expression": ["pcre", "^a"], "fields": ["name"]}],
            ["query", root, {"glob": ["**/*.c"], "fields": ["content.sha1hex"]}],
            ["since", root, "n:cursor"],
            ["subscribe", root, "name", {"fields": ["name"]}],
            ["gamin-status"],
            ["watch-list"],
            ["watch-del", root],
        ):
            answer = asker.ask(*request)
            while "subscription" in answer:  # its first rows
                answer = asker.read()
    served.process.send_signal(signal.SIGUSR2)
    assert works(served, tmp_path / "box")
    assert not [line for line in served.log() if "a bug" in line]


@pytest.mark.parametrize("served", [0], indirect=True)
def test_a_server_that_cannot_import_what_it_needs_makes_room_for_another(
    served: Daemon, package: Path
) -> None:
    shutil.rmtree(package)
    with served.connect() as client:
        assert is_hung_up(client)
    assert served.process.wait(30) == 0
    assert served.sockets() == []
    assert any("its package has changed" in line for line in served.log())
