"""Two states of a directory are compared; most tests need no disk."""

from pathlib import Path
from stat import S_IFDIR, S_IFLNK, S_IFREG
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.backends.signatures import (
    CONTENT,
    differences,
    read_details,
    read_kinds,
    read_one,
)
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    IS_DIR,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
)
from gamin.system import statx

ALL = CREATE | DELETE | MOVED_FROM | MOVED_TO | MODIFY | CLOSE_WRITE | ATTRIB
FILE, DIRECTORY, LINK = S_IFREG | 0o644, S_IFDIR | 0o755, S_IFLNK | 0o777


def entry(
    mode: int = FILE,
    inode: int = 7,
    size: int = 0,
    born: int = 1,
    changed: int = 1,
    written: int = 1,
) -> bytes:
    """A raw status, laid out as struct statx from its mode to its times."""
    blocks = attributes = accessed = 0
    head = pack("=H2xQQQQ", mode, inode, size, blocks, attributes)
    times = (accessed, born, changed, written)
    return head + b"".join(pack("=qII", time, 0, 0) for time in times)


@pytest.mark.parametrize(
    ("was", "now", "found"),
    [
        pytest.param(entry(), entry(), [], id="nothing"),
        pytest.param(entry(), None, [DELETE], id="gone"),
        pytest.param(entry(DIRECTORY), None, [DELETE | IS_DIR], id="directory gone"),
        pytest.param(None, entry(), [CREATE], id="made"),
        pytest.param(None, entry(DIRECTORY), [CREATE | IS_DIR], id="directory made"),
        pytest.param(entry(), entry(size=1), [CONTENT], id="other size, same times"),
        pytest.param(entry(), entry(changed=2, written=2), [CONTENT], id="written"),
        pytest.param(entry(), entry(S_IFREG, changed=2), [ATTRIB], id="chmod"),
        pytest.param(entry(), entry(changed=2), [ATTRIB], id="chown or new link"),
        pytest.param(
            entry(), entry(S_IFREG, written=2), [CONTENT], id="written and chmod"
        ),
        pytest.param(
            entry(DIRECTORY),
            entry(DIRECTORY, size=9, changed=2, written=2),
            [],
            id="something changed in a subdirectory",
        ),
        pytest.param(
            entry(DIRECTORY),
            entry(S_IFDIR, changed=2),
            [ATTRIB | IS_DIR],
            id="chmod of a subdirectory",
        ),
        pytest.param(entry(), entry(inode=8), [MOVED_TO], id="replaced"),
        pytest.param(
            entry(), entry(born=2), [MOVED_TO], id="replaced with the same inode"
        ),
        pytest.param(entry(), entry(LINK), [MOVED_TO], id="a link instead of a file"),
        pytest.param(
            entry(DIRECTORY),
            entry(DIRECTORY, inode=8),
            [DELETE | IS_DIR, CREATE | IS_DIR],
            id="another directory",
        ),
        pytest.param(
            entry(DIRECTORY),
            entry(FILE),
            [DELETE | IS_DIR, CREATE],
            id="a file instead of a directory",
        ),
        pytest.param(statx.kind(0, 0), entry(), [], id="may be looked at by now"),
    ],
)
def test_a_changed_entry_is_reported_by_its_mask(
    was: bytes | None, now: bytes | None, found: list[int]
) -> None:
    known = {} if was is None else {b"x": was}
    current = {} if now is None else {b"x": now}
    assert differences(known, current, ALL) == [(mask, b"x") for mask in found]


@pytest.mark.parametrize(
    ("mask", "found"),
    [
        pytest.param(ATTRIB, [ATTRIB], id="rights"),
        pytest.param(MODIFY, [MODIFY], id="writes"),
        pytest.param(CREATE | DELETE, [], id="names"),
    ],
)
def test_only_wanted_changes_are_reported(mask: int, found: list[int]) -> None:
    known, current = {b"x": entry()}, {b"x": entry(S_IFREG, size=5, written=2)}
    assert [kind for kind, _ in differences(known, current, mask)] == found


def test_a_write_is_no_change_of_rights() -> None:
    known, current = {b"x": entry()}, {b"x": entry(changed=2, written=2)}
    assert differences(known, current, ATTRIB) == []


def test_deletions_come_first_and_modifications_last() -> None:
    known = {b"a": entry(size=1), b"b": entry(), b"c": entry()}
    current = {b"n": entry(inode=9), b"a": entry(size=2), b"c": entry(inode=8)}
    assert differences(known, current, ALL) == [
        (DELETE, b"b"),
        (MOVED_TO, b"c"),
        (CREATE, b"n"),
        (CONTENT, b"a"),
    ]


entries = st.builds(
    entry,
    mode=st.sampled_from([FILE, DIRECTORY, LINK]),
    inode=st.integers(1, 3),
    size=st.integers(0, 2),
)
states = st.dictionaries(st.binary(min_size=1, max_size=2), entries, max_size=6)


@given(known=states, current=states)
def test_the_differences_lead_from_one_state_to_the_other(
    known: dict[bytes, bytes], current: dict[bytes, bytes]
) -> None:
    names = set(known)
    for mask, name in differences(known, current, ALL):
        if mask & DELETE:
            names.remove(name)
        elif mask & CREATE:
            assert name not in names
            names.add(name)
        else:
            assert name in names
    assert names == set(current)


def test_kinds_and_details_agree_on_the_identity_of_entries(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("sub")
    path = bytes(tmp_path)
    kinds = read_kinds(path)
    details = read_details(path, list(kinds), {})
    assert set(kinds) == set(details) == {b"file", b"sub", b"link"}
    for name, kind in kinds.items():
        assert read_one(path, name, False) == kind
        assert read_one(path, name, True) == details[name]
        assert statx.identity(kind)[1] == statx.identity(details[name])[1]


def test_an_inaccessible_entry_stays_as_it_was(tmp_path: Path) -> None:
    refused = b"x" * 300  # too long for any file system
    found = read_details(bytes(tmp_path), [refused], {refused: b"known"})
    assert found == {refused: b"known"}
    assert differences(read_details(bytes(tmp_path), [refused], {}), {}, ALL)


def test_a_missing_entry_has_no_signature(tmp_path: Path) -> None:
    assert read_one(bytes(tmp_path), b"missing", True) is None
    assert read_one(bytes(tmp_path), b"missing", False) is None
