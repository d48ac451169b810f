import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.patterns.wildmatch import wildmatch

names = st.lists(
    st.text("ab.-[]\\A", min_size=1, max_size=4), min_size=1, max_size=4
).map(lambda parts: "/".join(parts).encode())


@pytest.mark.parametrize(
    ("pattern", "name", "matched"),
    [
        pytest.param("a.c", "a.c", True, id="itself"),
        pytest.param("a.c", "sub/a.c", False, id="only as a whole"),
        pytest.param("", "a", False, id="an empty pattern matches nothing"),
        pytest.param("*.c", "a.c", True, id="a star for a name"),
        pytest.param("*.c", "sub/a.c", False, id="a star stays in its component"),
        pytest.param("a*.c", "a.c", True, id="a star may be empty"),
        pytest.param("*", "a", True, id="a star alone"),
        pytest.param("*/*", "a/b", True, id="stars around a slash"),
        pytest.param("*/*", "a/b/c", False, id="a star per component"),
        pytest.param("?.c", "a.c", True, id="one byte"),
        pytest.param("a?b", "a/b", False, id="no byte is a slash"),
        pytest.param("a[/]b", "a/b", False, id="no class holds a slash"),
        pytest.param("[!a].c", "b.c", True, id="a negated class"),
        pytest.param("[[:alpha:]].c", "a.c", True, id="a named class"),
        pytest.param("**/*.c", "a.c", True, id="no component at all"),
        pytest.param("**/*.c", "a/b/c/d.c", True, id="many components"),
        pytest.param("a/**/b", "a/b", True, id="no component in between"),
        pytest.param("a/**/b", "a/x/y/b", True, id="components in between"),
        pytest.param("a/**", "a/x/y", True, id="all below"),
        pytest.param("a/**", "a", False, id="all below, without itself"),
        pytest.param("**", "a/b", True, id="everything"),
        pytest.param("***", "a/b", True, id="more stars are no more"),
        pytest.param("**a", "xa", False, id="two stars beside something else"),
        pytest.param("a**/b", "ax/b", False, id="two stars behind something else"),
        pytest.param("**/", "a/b", False, id="a slash at the end"),
        pytest.param("a//b", "a/b", True, id="slashes count once"),
        pytest.param("/a", "a", False, id="a leading slash"),
        pytest.param("\\*", "*", True, id="an escaped star"),
        pytest.param("\\*", "a", False, id="an escaped star is no star"),
        pytest.param("\\[x]", "[x]", True, id="an escaped bracket"),
        pytest.param("a\\/b", "a/b", True, id="an escaped slash"),
        pytest.param("**\\/b", "a/b", True, id="an escaped slash behind two stars"),
        pytest.param("a\\", "a", False, id="a backslash at the end"),
        pytest.param("[", "[", False, id="an open bracket"),
        pytest.param("*é", "né", True, id="bytes beyond ASCII"),
        pytest.param("a\nb", "a\nb", True, id="a line feed"),
    ],
)
def test_a_pattern_matches_as_in_watchman(
    pattern: str, name: str, matched: bool
) -> None:
    assert wildmatch(pattern.encode(), pathname=True)(name.encode()) is matched


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        pytest.param("*", ".a", id="a star"),
        pytest.param("*.txt", ".txt", id="an empty star before the dot"),
        pytest.param("?a", ".a", id="a question mark"),
        pytest.param("[.]a", ".a", id="a class"),
        pytest.param("[!x]a", ".a", id="a negated class"),
        pytest.param("*?a", ".a", id="a question mark behind an empty star"),
        pytest.param("**", ".a", id="two stars"),
        pytest.param("**", "sub/.a", id="two stars, further down"),
        pytest.param("sub/**", "sub/x/.a", id="two stars behind a directory"),
        pytest.param("**/*.js", ".dir/a.js", id="a hidden directory"),
        pytest.param("**/*.js", "sub/.dir/a.js", id="a hidden directory further down"),
        pytest.param("*/a", ".dir/a", id="a star for a hidden directory"),
        pytest.param("sub/*", "sub/.a", id="a star behind a slash"),
    ],
)
def test_hidden_names_are_matched_on_request_only(pattern: str, name: str) -> None:
    glob, path = pattern.encode(), name.encode()
    assert not wildmatch(glob, pathname=True)(path)
    assert wildmatch(glob, pathname=True, dotfiles=True)(path)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (".*", ".a"),
        ("**/.*", "sub/.a"),
        ("*/.a", "sub/.a"),
        (".dir/**", ".dir/a/b"),
        ("a*", "a.b"),
        ("*b", "a.b"),
    ],
)
def test_a_dot_in_the_pattern_is_enough(pattern: str, name: str) -> None:
    assert wildmatch(pattern.encode(), pathname=True)(name.encode())


@pytest.mark.parametrize(
    ("pattern", "name", "matched"),
    [
        pytest.param(b"a**c", b"abc", True, id="two stars are one"),
        pytest.param(b"**/a", b"a", False, id="a slash matches nothing"),
        pytest.param(b"*.c", b"a.c", True, id="a star"),
    ],
)
def test_base_names_have_no_components(
    pattern: bytes, name: bytes, matched: bool
) -> None:
    assert wildmatch(pattern, pathname=False)(name) is matched


@pytest.mark.parametrize(
    ("pattern", "name", "matched"),
    [
        pytest.param(b"B.txt", b"b.TXT", True, id="letters"),
        pytest.param(b"[A-C].x", b"b.x", True, id="a range"),
        pytest.param(b"[[:upper:]].x", b"b.x", True, id="capitals"),
        pytest.param(b"[!A].x", b"a.x", False, id="not this one, in any case"),
        pytest.param("É".encode(), "é".encode(), False, id="ASCII only"),
    ],
)
def test_case_can_be_ignored(pattern: bytes, name: bytes, matched: bool) -> None:
    assert wildmatch(pattern, pathname=True, fold=True)(name) is matched


def test_backslashes_can_be_plain() -> None:
    assert wildmatch(b"a\\b", pathname=True, escapes=False)(b"a\\b")
    assert not wildmatch(b"a\\b", pathname=True)(b"a\\b")


def test_a_pattern_that_stops_a_backtracking_matcher_is_answered() -> None:
    matches = wildmatch(b"a*" * 500 + b"b", pathname=True)
    assert not matches(b"a" * 4000)
    deep = wildmatch(b"**/a*a/" * 50 + b"b", pathname=True)
    assert not deep(b"aaaa/" * 800)


@given(names)
def test_a_name_with_everything_escaped_matches_itself_alone(name: bytes) -> None:
    pattern = b"".join(b"\\" + bytes((byte,)) for byte in name)
    assert wildmatch(pattern, pathname=True)(name)
    assert not wildmatch(pattern, pathname=True)(name + b"x")


@given(names)
def test_two_stars_with_dotfiles_match_everything(name: bytes) -> None:
    assert wildmatch(b"**", pathname=True, dotfiles=True)(name)
    assert wildmatch(b"**/*", pathname=True, dotfiles=True)(name)


@given(pattern=st.binary(max_size=30), name=names, fold=st.booleans())
def test_any_pattern_has_an_answer(pattern: bytes, name: bytes, fold: bool) -> None:
    assert wildmatch(pattern, pathname=True, fold=fold)(name) in (True, False)
