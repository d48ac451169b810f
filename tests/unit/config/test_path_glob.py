import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.config.path_glob import matches


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        pytest.param(b"/mnt/*", b"/mnt/a/b", True, id="a star crosses slashes"),
        pytest.param(b"/mnt/*", b"/mnt/", True, id="a star may be nothing"),
        pytest.param(b"/mnt/*", b"/mnt", False, id="the directory is not below it"),
        pytest.param(b"/mnt", b"/mnt/a", False, id="the whole path is meant"),
        pytest.param(b"/*/x", b"/a/x/b/x", True, id="the last possible end counts"),
        pytest.param(b"/a?c", b"/a/c", True, id="a question mark may be a slash"),
        pytest.param(b"/a?c", b"/ac", False, id="a question mark is not nothing"),
        pytest.param(b"/?", "/é".encode(), True, id="one character of two bytes"),
        pytest.param(b"/?", b"/\xe9", True, id="one byte of another encoding"),
        pytest.param(b"/??", "/é".encode(), False, id="not two of one character"),
        pytest.param(b"/*??", "/€".encode(), False, id="nor after a star"),
        pytest.param(b"/[ab]", b"/a", False, id="brackets are not special"),
        pytest.param(b"/[ab]", b"/[ab]", True, id="brackets stand for themselves"),
        pytest.param(b"/a\n*", b"/a\nb", True, id="a line break is a character"),
        pytest.param(b"", b"", True, id="nothing covers nothing"),
    ],
)
def test_a_pattern_covers_whole_paths(
    pattern: bytes, path: bytes, covered: bool
) -> None:
    assert matches(pattern, path) is covered


# Few letters, so that patterns do match; the last two are the bytes of one "é".
texts = st.text("ab/é").map(str.encode)
patterns = st.text("ab/é*?").map(str.encode)


@given(pattern=patterns, path=texts)
def test_matching_agrees_with_the_regular_expression(
    pattern: bytes, path: bytes
) -> None:
    expression = re.escape(pattern.decode())
    expression = expression.replace(r"\*", ".*").replace(r"\?", ".")
    expected = re.fullmatch(expression, path.decode(), re.DOTALL) is not None
    assert matches(pattern, path) is expected


@given(pattern=st.binary(max_size=20), path=st.binary(max_size=40))
def test_any_bytes_are_a_pattern(pattern: bytes, path: bytes) -> None:
    matches(pattern, path)
    assert matches(path.replace(b"?", b"*"), path)


def test_many_stars_do_not_multiply() -> None:
    """A backtracking matcher would still be at it when the time-out comes."""
    assert not matches(b"/" + b"*a" * 200 + b"b", b"/" + b"a" * 4000)
