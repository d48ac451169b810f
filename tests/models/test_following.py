"""Whatever happens in a tree, and whenever the backend is drained: in the end the core
believes what is on the disk.

One process does everything here and drains seldom. fanotify joins events of one
process, so their real order is often lost.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamin.paths import join
from testkit.actions import actor
from testkit.actions.acts import Act, perform
from testkit.actions.real_disk import RealDisk
from testkit.backends import Way, available
from testkit.examples import examples
from testkit.following import following, on_disk

KERNELS = [way for way in available() if way.quotas]

PLACES = ("a", "b", "c", "a/a", "a/b", "b/a", "a/a/a")
"""Few, so that the same ones come and go often."""
BUSY_ACTS, BUSY_NAMES = 2000, 3

PATHS = st.sampled_from([f"root/{place}".encode() for place in PLACES])
AWAY = st.just(b"outside/x")
LOOK = Act("look", b"")
STEPS = st.one_of(
    st.builds(Act, st.sampled_from(["touch", "mkdir", "remove"]), PATHS),
    st.builds(
        Act, st.sampled_from(["rename", "swap", "exchange", "whiteout"]), PATHS, PATHS
    ),
    st.builds(Act, st.just("rename"), PATHS, AWAY),
    st.builds(Act, st.just("rename"), AWAY, PATHS),
    st.just(LOOK),
)


def do(act: Act, place: Path) -> None:
    """Paths are below `place`."""
    home = os.fsencode(place)
    full = act._replace(
        path=join(home, act.path), other=act.other and join(home, act.other)
    )
    with suppress(OSError):
        perform(full, RealDisk(place))


@pytest.mark.parametrize("way", KERNELS, ids=repr)
@settings(max_examples=examples(40))
@given(steps=st.lists(STEPS, max_size=40))
def test_the_core_believes_what_is_on_the_disk(way: Way, steps: list[Act]) -> None:
    with tempfile.TemporaryDirectory() as place:
        root, outside = Path(place, "root"), Path(place, "outside")
        root.mkdir()
        outside.mkdir()
        with following(way.open(), root) as follower:
            for step in steps:
                if step == LOOK:
                    follower.catch_up()
                else:
                    do(step, Path(place))
            follower.catch_up()
            assert follower.believed() == on_disk(root)
            # What is believed goes on being right: all is watched where it is.
            for above, _, _ in os.walk(root):
                os.mknod(os.path.join(above, "last"))
            follower.catch_up()
            assert follower.believed() == on_disk(root)


@pytest.mark.parametrize("way", KERNELS, ids=repr)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_directories_change_places_again_and_again(
    way: Way, times: int, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / f"of {name}").touch()
    with following(way.open(), tmp_path) as follower:
        for _ in range(times):
            do(Act("swap", b"a", b"b"), tmp_path)
        follower.catch_up()
        assert follower.believed() == on_disk(tmp_path)
        (tmp_path / "a" / "sub" / "new").touch()
        follower.catch_up()
        assert follower.believed() == on_disk(tmp_path)


@pytest.mark.parametrize("way", KERNELS, ids=repr)
@pytest.mark.parametrize("seed", range(2))
def test_the_core_believes_what_is_on_the_disk_while_others_write(
    way: Way, seed: int, tmp_path: Path
) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    where = (str(root), str(outside), str(seed), str(BUSY_NAMES))
    with (
        following(way.open(), root) as follower,
        subprocess.Popen(
            [sys.executable, "-m", actor.__name__, *where],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        ) as busy,
    ):
        assert busy.stdin is not None
        busy.stdin.write(b"%d\n" % BUSY_ACTS)
        busy.stdin.close()
        while busy.poll() is None:
            follower.catch_up()
        assert busy.returncode == 0
        follower.catch_up()
        assert follower.believed() == on_disk(root)
