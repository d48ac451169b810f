"""Questions about paths, which are bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.paths import is_within, join, parent, printable, relative

NAMES = st.binary(min_size=1, max_size=5).filter(
    lambda name: not set(name) & set(b"/\0")
)
PATHS = st.lists(NAMES, max_size=4).map(lambda names: b"/" + b"/".join(names))


@given(PATHS, NAMES)
def test_the_parent_of_a_joined_path_is_the_directory(path: bytes, name: bytes) -> None:
    assert parent(join(path, name)) == path


@given(PATHS, st.lists(NAMES, min_size=1, max_size=3).map(b"/".join))
def test_a_relative_path_joined_to_its_root_is_the_path(
    root: bytes, below: bytes
) -> None:
    path = join(root, below)
    assert is_within(path, root)
    assert relative(path, root) == below
    assert relative(root, root) == b""


def test_the_root_directory_is_its_own_parent() -> None:
    assert parent(b"/") == b"/"
    assert parent(b"/a") == b"/"


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        (b"/home/a", b"/home/a", True),
        (b"/home/a/b", b"/home/a", True),
        (b"/home/ab", b"/home/a", False),
        (b"/home", b"/home/a", False),
        (b"/home", b"/", True),
    ],
)
def test_a_path_is_within_its_root_only(
    path: bytes, root: bytes, expected: bool
) -> None:
    assert is_within(path, root) is expected


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (b"plain", "plain"),
        (b"two\nlines", r"two\nlines"),
        (b"\x1b[2J", r"\x1b[2J"),
        (b"not utf-8 \xff", r"not utf-8 \udcff"),
        ("\u202egpj", r"\u202egpj"),
        ("שלום", "שלום"),
    ],
)
def test_controls_are_escaped_and_letters_are_shown(
    path: bytes | str, shown: str
) -> None:
    assert printable(path) == shown


@given(st.binary(max_size=50))
def test_a_shown_path_is_one_line_that_can_be_encoded(path: bytes) -> None:
    shown = printable(path)
    assert shown.encode().decode() == shown
    assert len(shown.splitlines()) <= 1
