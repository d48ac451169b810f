"""The server may map no more memory for a while. What it could not keep is not lost:
it ends, and every client receives what it lacks from the next server."""

import resource
from pathlib import Path

import pytest

import gamin
from gamin import Watch
from testkit.beliefs.watch import Belief, differences, there
from testkit.daemon import daemon
from testkit.waiting import eventually
from testkit.watches import SOON

FOLDERS, FILES = 60, 500
"""Their names take more than what the server has mapped and does not use."""


def allow_no_more_memory(pid: int) -> None:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
    resource.prlimit(pid, resource.RLIMIT_AS, (pages * resource.getpagesize(), hard))


def fill(tree: Path) -> None:
    for number in range(FOLDERS):
        folder = tree / str(number)
        folder.mkdir()
        for file in range(FILES):
            (folder / f"{file:0>200}").touch()


def follow(watch: Watch, belief: Belief) -> bool:
    """Apply what is reported; return whether the belief equals the disk then."""
    while batch := watch.next(0.1):
        belief.take(batch)
    return not differences(belief.top, there(belief.root))


def test_a_server_without_memory_ends_and_no_client_misses_a_change(
    session: str, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    with (
        daemon(session, tmp_path / "home") as served,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in served.environ.items():
            environment.setenv(name, value)
        belief = Belief(tree)
        with gamin.watch(tree, timeout=SOON) as watch:
            allow_no_more_memory(served.process.pid)
            fill(tree)
            eventually(lambda: follow(watch, belief), what="all that was made")
        assert not belief.contradictions
        assert served.process.wait(SOON) == 71
        [line] = served.log()
        assert "no memory is left" in line
