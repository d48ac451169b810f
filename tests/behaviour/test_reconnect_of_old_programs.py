"""What a libgamin program learns after its server was killed.

`gamin.WatchMonitor` compares a new listing with the old one. libgamin asks the new
server for no listing. So it learns what happened in between only where the server
remembers its clients (`test_gap_of_c_programs.py`), which these do not.
"""

import itertools
import os
import select
import signal
import subprocess
from pathlib import Path

import pytest

import gamin
from testkit.original import require_original
from testkit.required import compiler_for_libfam
from testkit.servers import OUR_SERVER
from testkit.waiting import PACE, eventually
from testkit.watches import kill_server, serving

EXAMPLE = Path(__file__).parents[2] / "examples" / "fam_watch.c"


@pytest.fixture
def box(tmp_path: Path) -> Path:
    box = tmp_path / "box"
    box.mkdir()
    (box / "old").touch()
    return box


@pytest.mark.usefixtures("own_server")
def test_watch_monitor_reports_what_happened_without_a_server(box: Path) -> None:
    received: list[tuple[str, int]] = []
    monitor = gamin.WatchMonitor()

    def reported(*wanted: tuple[str, int]) -> bool:
        monitor.handle_events()
        return set(wanted) <= set(received)

    monitor.watch_directory(
        str(box), lambda path, event: received.append((path, event))
    )
    eventually(lambda: reported((str(box), gamin.GAMEndExist)))
    kill_server()
    (box / "new").touch()
    (box / "old").unlink()
    eventually(lambda: reported(("new", gamin.GAMCreated), ("old", gamin.GAMDeleted)))
    monitor.disconnect()


def test_libgamin_reports_only_later_changes_where_nothing_is_remembered(
    session: str, box: Path, tmp_path: Path
) -> None:
    require_original()
    compiler = compiler_for_libfam()
    program = tmp_path / "fam_watch"
    subprocess.run([compiler, EXAMPLE, "-o", program, "-lfam"], check=True)
    with (
        serving(session),
        subprocess.Popen(
            [program, box],
            env=os.environ | {"GAMIN_DEBUG_SERVER": str(OUR_SERVER)},
            stdout=subprocess.PIPE,
            text=True,
        ) as running,
    ):
        try:
            assert running.stdout
            lines = iter(running.stdout.readline, "")
            assert next(line for line in lines if line.startswith("end-exist"))
            running.send_signal(signal.SIGSTOP)
            kill_server()
            (box / "between").touch()
            running.send_signal(signal.SIGCONT)
            # Nothing says when the new server has begun to watch.
            for number in itertools.count():
                (box / f"later {number}").touch()
                if select.select([running.stdout], [], [], PACE)[0]:
                    break
            event, _, name = next(lines).split("\t")
            assert (event, name[:5]) == ("created", "later")
        finally:
            running.terminate()
