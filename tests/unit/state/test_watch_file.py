import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.state.place import Unusable
from gamin.state.watch_file import SavedWatch, WatchFile

WATCHES = [
    SavedWatch("/a", [{"name": "t", "command": ["true"]}], 5),
    SavedWatch("/\udcff"),
]


@pytest.fixture
def file(tmp_path: Path) -> WatchFile:
    return WatchFile(os.fsencode(tmp_path / "state" / "watches.json"), os.getuid())


def test_what_was_written_is_read(file: WatchFile) -> None:
    assert file.read() == []
    file.write(WATCHES)
    assert file.read() == WATCHES
    assert os.stat(file.path).st_mode & 0o777 == 0o600
    assert os.listdir(os.path.dirname(file.path)) == [os.path.basename(file.path)]


def test_no_watch_leaves_no_file_and_makes_no_directory(file: WatchFile) -> None:
    file.write([])
    assert not os.path.exists(os.path.dirname(file.path))
    file.write(WATCHES)
    file.write([])
    assert os.listdir(os.path.dirname(file.path)) == []


def test_a_state_file_of_watchman_itself_is_read(file: WatchFile) -> None:
    file.write(WATCHES)
    theirs = {"version": "4.9.0", "watched": [{"path": "/a", "triggers": []}]}
    Path(os.fsdecode(file.path)).write_text(json.dumps(theirs))
    assert file.read() == [SavedWatch("/a")]


def _share(path: str) -> None:
    os.chmod(path, 0o622)


def _link_again(path: str) -> None:
    os.link(path, path + "2")


def _link(path: str) -> None:
    os.rename(path, path + "2")
    os.symlink(path + "2", path)


def _open_directory(path: str) -> None:
    os.chmod(os.path.dirname(path), 0o755)


@pytest.mark.parametrize("spoil", [_share, _link_again, _link, _open_directory])
def test_a_file_that_others_may_have_written_is_not_believed(
    file: WatchFile, spoil: object
) -> None:
    file.write(WATCHES)
    assert callable(spoil)
    spoil(os.fsdecode(file.path))
    with pytest.raises(Unusable):
        file.read()


def test_a_file_of_another_user_is_not_believed(file: WatchFile) -> None:
    file.write(WATCHES)
    with pytest.raises(Unusable, match="belongs to uid"):
        file._replace(uid=file.uid + 1, is_own_place=False).read()


def test_a_file_that_was_named_may_be_in_any_directory(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o755)
    file = WatchFile(os.fsencode(tmp_path / "state"), os.getuid(), False)
    file.write(WATCHES)
    assert file.read() == WATCHES
    nowhere = file._replace(path=os.fsencode(tmp_path / "missing" / "state"))
    assert nowhere.read() == []
    with pytest.raises(Unusable):
        nowhere.write(WATCHES)


@given(
    st.binary()
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(["gamin", "watched", "path", "triggers", "used"]), x
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_text_is_a_list_of_watches_or_refused(text: bytes) -> None:
    try:
        watches = WatchFile(b"/x", 0)._parsed(text)
    except Unusable:
        return
    assert all(isinstance(one, SavedWatch) for one in watches)
