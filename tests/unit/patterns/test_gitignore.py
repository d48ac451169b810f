"""What one pattern means; that it means the same to git is asked in `test_ignore`."""

import pytest

from gamin.patterns.gitignore import MAX_WILDCARD, parse, read_lines
from gamin.patterns.ignore_rules import IgnoreRules


def ignored(glob: bytes, path: bytes, is_dir: bool = False) -> bool:
    return IgnoreRules([glob]).ignored(path, is_dir)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"a\nb", [b"a", b"b"]),
        (b"a\r\nb\r", [b"a", b"b"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb", [b"a", b"\xef\xbb\xbfb"]),
        (b"# no\n#\n \\#yes", [b" \\#yes"]),
        (b"a  \nb\\  \nc\\\\  \nd\\", [b"a", b"b\\ ", b"c\\\\", b"d\\"]),
        (b"tab\t\n", [b"tab\t"]),
        (b"cut\0off", [b"cut"]),
    ],
)
def test_the_lines_of_a_rule_file_are_cut_as_git_cuts_them(
    text: bytes, lines: list[bytes]
) -> None:
    assert list(read_lines(text)) == lines


def test_a_pattern_without_wildcards_needs_no_expression() -> None:
    pattern = parse(b"!/doc/api/")
    assert pattern is not None
    assert pattern == (False, False, (b"doc/api\0",), b"")


@pytest.mark.parametrize(
    "line", [b"", b"!", b"/", b"//", b"a[", b"a[b-", b"[[:nope:]]", b"a\\"]
)
def test_a_malformed_pattern_matches_nothing(line: bytes) -> None:
    assert parse(line) is None


def test_asterisks_behind_the_start_of_a_name_stay_within_it() -> None:
    # git before 2.52 disagrees, and so the comparison with git leaves this out
    assert ignored(b"/foo**/bar", b"foox/bar")
    assert not ignored(b"/foo**/bar", b"foobar")
    assert not ignored(b"/foo**/bar", b"foo/x/bar")


@pytest.mark.parametrize("byte", [0x0A, 0x5C, 0x80, 0xFF])
def test_any_byte_is_one_character(byte: int) -> None:
    name = b"x" + bytes([byte])
    assert ignored(b"x?", name)
    assert ignored(b"x[!a]", name)
    assert ignored(b"x[\x0a\x5c\x5c\x80-\xff]", name)
    assert not ignored(b"x??", name)


@pytest.mark.parametrize(
    ("piece", "text"),
    [
        (b"*?", b"a"),
        (b"*a", b"a"),
        (b"?", b"\xff"),
        (b"[!a]", b"b"),
        (b"[[:punct:]]", b";"),
        (b"**/a/", b"a/"),
        (b"\\a", b"a"),
    ],
)
def test_the_longest_pattern_still_works(piece: bytes, text: bytes) -> None:
    times = (MAX_WILDCARD - 1) // len(piece)
    assert ignored(piece * times + b"b", text * times + b"b")
    assert not ignored(piece * times + b"b", text * times + b"c")


def test_the_largest_set_still_works() -> None:
    members = bytes(range(0x80, 0x100, 2)) * 7
    assert ignored(b"[" + members + b"]", b"\xfe")
    assert not ignored(b"[" + members + b"]", b"\xff")


def test_a_longer_pattern_is_skipped_and_the_others_hold() -> None:
    rules = IgnoreRules([b"*.log", b"*" + b"a" * MAX_WILDCARD, b"*.tmp"])
    assert not rules.ignored(b"a" * MAX_WILDCARD, is_dir=False)
    assert rules.ignored(b"x.log", is_dir=False)
    assert rules.ignored(b"x.tmp", is_dir=False)


def test_a_pattern_that_defeats_backtracking_is_answered() -> None:
    # a backtracking matcher would still be at it when the sun goes out
    assert not ignored(b"*a" * 40 + b"b", b"a" * 255)
    assert ignored(b"*a" * 40 + b"b", b"a" * 254 + b"b")
