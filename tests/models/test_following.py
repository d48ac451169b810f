"""Whatever happens in a tree, and whenever it is looked at: in the end the core, told
by the backend, believes what is on the disk.

The same process does everything here, and reads seldom, which is what fanotify joins
events by; so orders of happenings that it does not tell occur all the time.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testkit.actions import happenings
from testkit.actions.happenings import PLACES, perform
from testkit.backends import Way, available
from testkit.following import following, on_disk

KERNELS = [way for way in available() if way.quotas]

PATHS = st.sampled_from(PLACES)
STEPS = st.one_of(
    st.tuples(st.just("touch"), PATHS),
    st.tuples(st.just("mkdir"), PATHS),
    st.tuples(st.just("remove"), PATHS),
    st.tuples(st.just("rename"), PATHS, PATHS),
    st.tuples(st.just("swap"), PATHS, PATHS),
    st.tuples(st.just("exchange"), PATHS, PATHS),
    st.tuples(st.just("whiteout"), PATHS, PATHS),
    st.tuples(st.just("away"), PATHS),
    st.tuples(st.just("back"), PATHS),
    st.tuples(st.just("look")),
)


@pytest.mark.parametrize("way", KERNELS, ids=repr)
@settings(max_examples=120)
@given(steps=st.lists(STEPS, max_size=40))
def test_what_is_believed_is_what_is_there(
    way: Way, steps: list[tuple[str, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        root, outside = Path(place, "root"), Path(place, "outside")
        root.mkdir()
        outside.mkdir()
        with following(way.open(), root) as follower:
            for step in steps:
                if step == ("look",):
                    follower.catch_up()
                else:
                    perform(step, root, outside)
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
            perform(("swap", "a", "b"), tmp_path, tmp_path)
        follower.catch_up()
        assert follower.believed() == on_disk(tmp_path)
        (tmp_path / "a" / "sub" / "new").touch()
        follower.catch_up()
        assert follower.believed() == on_disk(tmp_path)


@pytest.mark.parametrize("way", KERNELS, ids=repr)
@pytest.mark.parametrize("seed", range(2))
def test_looking_while_others_are_at_work(way: Way, seed: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", happenings.__name__, str(seed), str(tmp_path)]
    with (
        following(way.open(), tmp_path) as follower,
        subprocess.Popen(command) as busy,
    ):
        while busy.poll() is None:
            follower.catch_up()
        assert busy.returncode == 0
        follower.catch_up()
        assert follower.believed() == on_disk(tmp_path)
