"""git's configuration syntax, with git itself as the judge."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamin.config.git_config import (
    GitSetting,
    InvalidGitConfig,
    Place,
    expand,
    is_included,
    parse,
)
from testkit.examples import examples


def git_reads(text: bytes, file: Path) -> list[tuple[bytes, bytes | None]] | None:
    """What `git config --list` makes of the text; None where it refuses the file."""
    file.write_bytes(text)
    done = subprocess.run(
        ["git", "config", "--file", file, "--no-includes", "--list", "-z"],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        return None
    items = [item.partition(b"\n") for item in done.stdout.split(b"\0")[:-1]]
    return [(key, blanks_alike(value if mark else None)) for key, mark, value in items]


def blanks_alike(value: bytes | None) -> bytes | None:
    """git before 2.45 makes a space of every other blank inside of a value."""
    return None if value is None else re.sub(rb"[\t\r]", b" ", value)


def key(setting: GitSetting) -> bytes:
    section, subsection, name, _ = setting
    middle = b"" if subsection is None else subsection + b"."
    return (section and section + b".") + middle + name


def we_read(text: bytes) -> list[tuple[bytes, bytes | None]] | None:
    try:
        return [(key(each), blanks_alike(each.value)) for each in parse(text)]
    except InvalidGitConfig:
        return None


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\n\n", b"# only a comment", b"; and another\n[core]",
        b"[core]\n\tbare = false\n", b"[Core] Bare=TRUE", b"[core]bare",
        b"[core]\nbare\nname = \n", b"[a] b = c # d", b'[a] b = "c # d" ; e',
        b'[a] b = " c " ', b'[a] b = x" y "z', b"[a] b = c  d\te  ",
        b"[a] b = one\\\ntwo", b"[a] b = one \\\n  two", b'[a] b = "one\\\ntwo"',
        b"[a] b = \\n\\t\\b\\\\\\\"", b"[a] b = \\x", b"[a] b = c\\",
        b'[a "Sub.Section"] b = c', b'[a "q\\"\\\\x\\y"] b = c', b"[a.B.c] d = e",
        b'[a.b "c"] d = e', b"[a-1] b-2 = c", b"[a_b] c = d", b"[a] b_c = d",
        b"[a] 1b = c", b"b = c", b"[a", b"[]\nb = c", b'[a ""] b = c', b"[a ] b = c",
        b"[ a] b = c", b'[a"b"] c = d', b'[a "b" ] c = d', b"[a]\r\nb = c\r\n",
        b"\xef\xbb\xbf[a] b = c", b'[a] b = "c', b"[a] b c", b"[a] b = \xff\xe9",
        b"[a] b = c\rd", b"[a]\fb = c", b"[a] b = c\\\r\nd", b'[a "b\nc"] d = e',
    ],
)  # fmt: skip
def test_git_agrees_about(text: bytes, tmp_path: Path) -> None:
    assert we_read(text) == git_reads(text, tmp_path / "config")


PIECES = st.sampled_from(
    [
        *(
            b"[a]",
            b"[a.b]",
            b'[a "B"]',
            b"[",
            b"]",
            b'"',
            b"\\",
            b"\\n",
            b"\\\\",
            b'\\"',
        ),
        *(b"\n", b"\n", b" ", b"\t", b"=", b" = ", b"#", b";", b"b", b"name", b"\r\n"),
        *(b"value", b"\\\n", b"-", b".", b"_", b"1", b"\xe9", b"\\x"),
    ]
)


@settings(max_examples=examples(100))
@given(pieces=st.lists(PIECES, max_size=14))
def test_git_agrees_about_anything(
    pieces: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "random-git-config"
    text = b"[s]\n" + b"".join(pieces)
    assert we_read(text) == git_reads(text, file)


@given(text=st.binary(max_size=200))
def test_any_bytes_are_settings_or_one_error(text: bytes) -> None:
    we_read(text)


def test_an_error_says_its_line() -> None:
    with pytest.raises(InvalidGitConfig, match="bad config line 3"):
        list(parse(b"[a]\nb = c\nd ! e\n"))


PLACE = Place((b"/home/u/work/repo/.git", b"/real/repo/.git"), b"feature/x", b"/home/u")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (b"gitdir:/home/u/work/", True),
        (b"gitdir:~/work/", True),
        (b"gitdir:~/other/", False),
        (b"gitdir:work/", True),
        (b"gitdir:repo/.git", True),
        (b"gitdir:epo/.git", False),
        (b"gitdir:/real/", True),
        (b"gitdir:./work/", True),
        (b"gitdir:~/WORK/", False),
        (b"gitdir/i:~/WORK/", True),
        (b"onbranch:feature/", True),
        (b"onbranch:feature/*", True),
        (b"onbranch:main", False),
        (b"hasconfig:remote.*.url:x", False),
        (b"unheard-of:/", False),
    ],
)
def test_a_condition_is_about_the_repository(condition: bytes, holds: bool) -> None:
    assert is_included(condition, b"/home/u", PLACE) is holds


def test_no_branch_is_on_no_branch() -> None:
    assert not is_included(b"onbranch:**", b"/", PLACE._replace(branch=None))


@pytest.mark.parametrize(
    ("path", "absolute"),
    [
        (b"~/ignore", b"/home/u/ignore"),
        (b"/etc/ignore", b"/etc/ignore"),
        (b"ignore", b"/etc/ignore"),
        (b"~other/ignore", b""),
        (b"%(prefix)/ignore", b""),
    ],
)
def test_a_path_is_expanded(path: bytes, absolute: bytes) -> None:
    assert expand(path, b"/home/u", b"/etc") == absolute
