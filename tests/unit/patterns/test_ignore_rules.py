"""Which paths are ignored: by precedence, by what is loaded, and as git itself says."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamin.patterns.gitignore import CLASSES
from gamin.patterns.ignore_rules import (
    EXCLUDE_FILE,
    MAX_PATTERNS,
    MAX_TEXT,
    MAX_WILDCARDS,
    IgnoreRules,
)

Texts = dict[tuple[bytes, bytes], bytes]  # by directory and name of the rule file


def with_files(texts: Texts, globs: tuple[bytes, ...] = ()) -> IgnoreRules:
    rules = IgnoreRules(globs, vcs=True)
    for (directory, name), text in texts.items():
        rules.load(directory, name, text)
    return rules


# What is asked for


def test_without_rules_nothing_is_ignored() -> None:
    rules = IgnoreRules()
    assert rules.is_empty
    assert not rules.ignored(b"a", is_dir=True)


def test_a_glob_without_a_slash_holds_on_every_level() -> None:
    rules = IgnoreRules([b"*.o", b"build/"])
    assert not rules.is_empty
    assert rules.ignored(b"x.o", is_dir=False)
    assert rules.ignored(b"a/b/x.o", is_dir=False)
    assert rules.ignored(b"a/build", is_dir=True)
    assert not rules.ignored(b"a/build", is_dir=False)


def test_a_glob_with_a_slash_holds_at_the_root() -> None:
    rules = IgnoreRules([b"/out", b"doc/*.html"])
    assert rules.ignored(b"out", is_dir=False)
    assert rules.ignored(b"doc/a.html", is_dir=False)
    assert not rules.ignored(b"a/out", is_dir=False)
    assert not rules.ignored(b"a/doc/a.html", is_dir=False)


def test_a_glob_may_start_with_a_hash() -> None:
    assert IgnoreRules([b"#*#"]).ignored(b"#draft#", is_dir=False)


def test_rule_files_count_only_when_asked_for() -> None:
    rules = IgnoreRules()
    assert not rules.load(b"", b".gitignore", b"a")
    assert rules.is_empty
    assert not rules.ignored(b"a", is_dir=False)
    assert not rules.ignored(b".git", is_dir=True)


@pytest.mark.parametrize("path", [b".git", b"sub/.git", b".hg", b"a/.svn", b".jj"])
def test_the_state_of_version_control_is_pruned(path: bytes) -> None:
    rules = with_files({(b"", b".gitignore"): b"!.*"})
    assert rules.ignored(path, is_dir=True)
    assert not rules.ignored(path, is_dir=False)  # a worktree's .git is a file
    assert not IgnoreRules([b"!" + path], vcs=True).ignored(path, is_dir=True)


# Which rule wins


def test_the_last_pattern_that_matches_decides() -> None:
    rules = with_files({(b"", b".gitignore"): b"*.log\n!keep.log\nkeep.*\n!*.log"})
    assert not rules.ignored(b"keep.log", is_dir=False)
    assert rules.ignored(b"keep.txt", is_dir=False)


def test_a_deeper_file_wins() -> None:
    rules = with_files(
        {(b"a", b".gitignore"): b"!x\n/y", (b"", b".gitignore"): b"x\n!y"}
    )
    assert rules.ignored(b"x", is_dir=False)
    assert not rules.ignored(b"a/x", is_dir=False)
    assert rules.ignored(b"a/y", is_dir=False)
    assert not rules.ignored(b"a/b/y", is_dir=False)
    assert rules.ignored(b"ab/x", is_dir=False)


def test_in_one_directory_the_ignore_file_wins() -> None:
    rules = with_files({(b"", b".ignore"): b"!x\ny", (b"", b".gitignore"): b"x\n!y"})
    assert not rules.ignored(b"x", is_dir=False)
    assert rules.ignored(b"y", is_dir=False)


def test_the_exclude_file_is_the_weakest() -> None:
    rules = with_files({(b"", EXCLUDE_FILE): b"x\ny", (b"a", b".gitignore"): b"!x"})
    assert not rules.ignored(b"a/x", is_dir=False)
    assert rules.ignored(b"a/y", is_dir=False)


def test_the_globs_of_the_client_are_the_strongest() -> None:
    rules = with_files(
        {(b"a", b".ignore"): b"x\n!y"},
        globs=(b"!x", b"y"),
    )
    assert not rules.ignored(b"a/x", is_dir=False)
    assert rules.ignored(b"a/y", is_dir=False)


# Rule files that come, change and go


def test_loading_tells_whether_the_answers_may_differ() -> None:
    rules = IgnoreRules(vcs=True)
    assert not rules.load(b"", b".gitignore", None)
    assert not rules.load(b"", b".gitignore", b"# nothing\n")
    assert rules.load(b"", b".gitignore", b"a\n")
    assert not rules.load(b"", b".gitignore", b"# better explained\r\na\r\n")
    assert rules.load(b"", b".gitignore", b"a/\n")
    assert rules.load(b"", b".gitignore", None)
    assert not rules.load(b"", b".gitignore", None)


def test_what_loading_would_not_change_is_known() -> None:
    rules = with_files({(b"a", b".gitignore"): b"x\n"})
    assert rules.knows(b"a", b".gitignore", b"# why\nx\n")
    assert not rules.knows(b"a", b".gitignore", b"y\n")
    assert not rules.knows(b"a", b".gitignore", None)
    assert not rules.knows(b"a", b".ignore", b"x\n")
    assert rules.knows(b"a", b".ignore", None)
    assert rules.knows(b"b", b".gitignore", b"")
    assert IgnoreRules([b"y"]).knows(b"a", b".gitignore", b"x\n")  # it wants no files


def test_a_changed_file_holds_at_once_both_ways() -> None:
    rules = with_files({(b"a", b".gitignore"): b"x"})
    assert rules.ignored(b"a/b/x", is_dir=False)
    rules.load(b"a", b".gitignore", b"y")
    assert not rules.ignored(b"a/b/x", is_dir=False)
    assert rules.ignored(b"a/b/y", is_dir=False)
    rules.load(b"a", b".gitignore", None)
    assert not rules.ignored(b"a/b/y", is_dir=False)


def test_a_directory_is_forgotten_with_all_below_and_nothing_beside() -> None:
    rules = with_files(
        {(place, b".gitignore"): b"x" for place in (b"a", b"a/b", b"a.c", b"ab")}
    )
    rules.forget(b"a")
    paths = [b"a/x", b"a/b/x", b"a.c/x", b"ab/x"]
    assert [rules.ignored(path, is_dir=False) for path in paths] == [0, 0, 1, 1]


def test_rules_go_along_with_a_renamed_directory_and_what_is_below() -> None:
    rules = with_files(
        {(place, b".gitignore"): b"/x" for place in (b"a", b"a/b", b"ab")}
    )
    rules.moved(b"a", b"c/long")
    paths = [b"c/long/x", b"c/long/b/x", b"c/longb/x", b"c/long/d/x"]
    assert [rules.ignored(path, is_dir=False) for path in paths] == [1, 1, 0, 0]


def test_what_is_left_behind_is_judged_by_the_same_rules_until_it_is_forgotten() -> (
    None
):
    rules = with_files({(place, b".gitignore"): b"x" for place in (b"a", b"a/b")})
    rules.moved(b"a", b"c")
    assert rules.ignored(b"a/b/x", is_dir=False)
    rules.forget(b"a")
    paths = [b"a/x", b"a/b/x", b"c/x", b"c/b/x"]
    assert [rules.ignored(path, is_dir=False) for path in paths] == [0, 0, 1, 1]


def test_nothing_is_left_of_the_rules_of_what_was_there_before_a_rename() -> None:
    rules = with_files(
        {
            (b"a", b".gitignore"): b"x",
            (b"b", b".ignore"): b"y",
            (b"b/c", b".gitignore"): b"z",
        }
    )
    assert rules.ignored(b"b/c/z", is_dir=False)
    assert rules.has_any(b"b")
    rules.moved(b"a", b"b")
    paths = [b"b/x", b"b/y", b"b/c/z"]
    assert [rules.ignored(path, is_dir=False) for path in paths] == [1, 0, 0]
    assert not rules.has_any(b"b/c")


@pytest.mark.parametrize(
    ("text", "alike"),
    [
        pytest.param(b"x\n*.o\nsub/\n", True, id="names are ignored anywhere"),
        pytest.param(b"/x\n/c/d/e\n", True, id="paths elsewhere"),
        pytest.param(b"/a/x\n", False, id="a path in the one"),
        pytest.param(b"b/sub/\n", False, id="a path in the other"),
        pytest.param(b"*/x\n", False, id="paths with a wildcard"),
    ],
)
def test_rules_may_leave_out_other_things_in_a_renamed_directory(
    text: bytes, *, alike: bool
) -> None:
    rules = with_files({(b"top", b".gitignore"): text, (b"top/a", b".ignore"): b"y"})
    assert rules.are_alike(b"top/a", b"top/b") is alike
    assert rules.are_alike(b"top/b", b"top/a") is alike


def test_other_rules_above_a_directory_may_leave_out_other_things_in_it() -> None:
    rules = with_files({(b"a", b".gitignore"): b"x", (b"b", b".gitignore"): b"y"})
    assert not rules.are_alike(b"a/d", b"d")
    assert not rules.are_alike(b"d", b"a/d")
    assert not rules.are_alike(b"a/d", b"b/d")
    assert rules.are_alike(b"a/d", b"a/e/f/d")
    assert rules.are_alike(b"d", b"e/f")


@pytest.mark.parametrize(
    "text",
    [
        b"x\n" + b"#" * MAX_TEXT,
        b"x\n" * (MAX_PATTERNS + 1),
        b"x\n" + b"*.abc\n" * (MAX_WILDCARDS // 5 + 1),
    ],
    ids=["text", "patterns", "wildcards"],
)
def test_a_file_beyond_the_limits_counts_as_absent(text: bytes) -> None:
    rules = with_files({(b"", b".gitignore"): b"x"})
    assert rules.load(b"", b".gitignore", text)
    assert not rules.ignored(b"x", is_dir=False)


def test_a_file_at_the_limits_holds_to_its_last_pattern() -> None:
    many = [b"name%d" % i for i in range(MAX_PATTERNS - 1600)]
    wild = [b"*.x%04d/b" % i for i in range(800)] + [b"*.x%04d" % i for i in range(800)]
    rules = with_files({(b"", b".gitignore"): b"\n".join(many + wild)})
    paths = [b"name0", b"a/name8399", b"a/a.x0000", b"a.x0799", b"c.x0000/b"]
    assert all(rules.ignored(path, is_dir=False) for path in paths)
    assert not rules.ignored(b"a/c.x0000/b", is_dir=False)


def test_more_directories_than_are_kept_in_mind_are_answered_alike() -> None:
    rules = with_files({(b"d7", b".gitignore"): b"x"})
    paths = [b"d%d/x" % i for i in range(10_000)] * 2
    hits = [path for path in paths if rules.ignored(path, is_dir=False)]
    assert hits == [b"d7/x"] * 2


# What git says

DIRECTORIES = [b"a", b"a/b", b"a/b/a", b"b", b"ab", b"ab/a", b"a-b", b".x", b"\xe9 "]
NAMES = [b"a", b"b", b"ab", b"a.o", b"c]", b"[", b"\\", b"!a", b"#a", b"a ", b"\xe9"]


class Git:
    """A repository with a fixed tree whose rule files are written for each question."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._written: list[bytes] = []
        self.paths: dict[bytes, bool] = dict.fromkeys(DIRECTORIES, True)
        self._run("init", "--quiet")
        for directory in DIRECTORIES:
            os.makedirs(os.path.join(root, directory))
        for directory in [b"", *DIRECTORIES]:
            for name in NAMES:
                self.add_file(os.path.join(directory, name))

    def add_file(self, path: bytes) -> None:
        if path not in self.paths:
            self.paths[path] = False
            self._write(path, b"")

    def ignored(self, texts: Texts) -> set[bytes]:
        """The paths of the tree that git ignores under these rule files."""
        for path in self._written:
            os.unlink(os.path.join(self._root, path))
        self._written = [os.path.join(*place) for place in texts]
        for path, text in zip(self._written, texts.values(), strict=True):
            self._write(path, text)
        options = ("--no-index", "--verbose", "--non-matching", "--stdin", "-z")
        answer = self._run("check-ignore", *options, asked=b"\0".join(self.paths))
        fields = answer.split(b"\0")[:-1]
        patterns = dict(zip(fields[3::4], fields[2::4], strict=True))
        return {p for p, by in patterns.items() if by and not by.startswith(b"!")}

    def _write(self, path: bytes, text: bytes) -> None:
        with open(os.path.join(self._root, path), "wb") as file:
            file.write(text)

    def _run(self, *arguments: str, asked: bytes = b"") -> bytes:
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "HOME": os.devnull,  # or ~/.config/git/ignore would count
        }
        command = ["git", *arguments]
        done = subprocess.run(
            command,
            cwd=self._root,
            env=environment,
            input=asked,
            stdout=-1,
            check=False,
        )
        assert done.returncode in (0, 1), command  # 1: nothing is ignored
        return done.stdout


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    root: Path = tmp_path_factory.mktemp("repository")
    return Git(os.fsencode(root))


def ignored_by_us(texts: Texts, paths: dict[bytes, bool]) -> set[bytes]:
    """Walk from the top, as the caller of `ignored` does."""
    rules = with_files(texts)
    found: set[bytes] = set()
    for path in sorted(paths, key=lambda path: path.count(b"/")):
        above = path.rpartition(b"/")[0]
        if above in found or rules.ignored(path, paths[path]):
            found.add(path)
    return found


@pytest.mark.parametrize(
    "text",
    [
        b"a", b"/a", b"a/", b"/a/", b"a//", b"//a", b"/", b"//", b"!", b"!/", b"!!a",
        b"*", b"*/", b"/*", b"/*/", b"*/*", b"**", b"**/", b"/**", b"/**/", b"***",
        b"a/*", b"a/**", b"a/**/", b"a/**/a", b"**/b/a", b"**/a/**", b"a/***/a",
        b"**a", b"a**", b"a/**b", b"*/**/a", b"**/**", b"**\\/a", b"a\\/b", b"a/b\\/",
        b"?", b"a?b", b"a?", b"?/", b"*b", b"*.o", b"*.", b"*a*", b"a.*", b"*\\.o",
        b"[ab]", b"[!a]", b"[^a]", b"[a-b]", b"[b-a]", b"[a-]", b"[-a]", b"a[-x]b",
        b"[]]", b"c[]]", b"[!]]", b"[]-a]", b"[[]", b"[\\]]", b"[\\\\]", b"[a\\-z]",
        b"[[:alpha:]]", b"[![:alpha:]]", b"[[:alpha:]", b"[[:alpha]]", b"[[:]",
        b"[[::]]", b"[:alpha:]", b"[[:Alpha:]]", b"[[:al]pha:]]", b"[[:alpha:]-z]",
        b"[", b"a[", b"[a", b"[]", b"[!]", b"[!", b"a[/]b", b"a[!x]b", b"[a-\\b]",
        b"\\", b"\\\\", b"a\\", b"\\a", b"\\!a", b"\\#a", b"#a", b"!a", b" a",
        b"a ", b"a\\ ", b"a\\  ", b"a \\", b"a\t", b"\xe9", b"\xe9\\ ",
        b"[\xe9]", b"?\\ ", b"[\xe8-\xff]*",
        b"*\n!a", b"*\n!a/", b"*\n!*/\n!*.o", b"/*\n!/a\n/a/*\n!/a/b", b"a\n!a/b",
        b"a\r\nb\r\n", b"a\r", b"a\n\r\n\n", b"\xef\xbb\xbfa\n\xef\xbb\xbfb",
        b"a\0b\nab",
    ],
)  # fmt: skip
def test_git_agrees_about(text: bytes, git: Git) -> None:
    for place in [(b"", b".gitignore"), (b"a", b".gitignore"), (b"", EXCLUDE_FILE)]:
        texts = {place: text}
        assert ignored_by_us(texts, git.paths) == git.ignored(texts)


PIECES = """
    a b ab a.o c . - ! # ^ ] [ ? * * ** ** / / / \\ \xe9 [ab] [!a] [^b] [a-c] []] [b-]
    [[:alpha:]] [[:punct:]] [[:a] [\\]] [a/b] \\a \\* \\[ **/ /** /**/ .o
""".encode("latin-1").split()
SPACES = [b" ", b"\t", b"\\ ", b"\r"]


def is_misread_by_old_git(line: bytes) -> bool:
    """Asterisks behind a literal start: see `ignore_patterns._stars`."""
    glob = line.removeprefix(b"!").rstrip(b" \t\r/").removeprefix(b"/")
    literal = glob.partition(b"**")[0]
    return (
        literal not in (b"", glob)
        and not literal.endswith(b"/")
        and not any(special in literal for special in b"*?[\\")
    )


def lines() -> st.SearchStrategy[bytes]:
    pieces = st.one_of(
        st.sampled_from(PIECES),
        st.sampled_from(PIECES + SPACES),
    )
    glob = st.lists(pieces, max_size=6).map(b"".join)
    line = st.builds(bytes.__add__, st.sampled_from([b"", b"", b"!"]), glob)
    return line.filter(lambda line: not is_misread_by_old_git(line))


def rule_files() -> st.SearchStrategy[Texts]:
    places = st.sampled_from(
        [(b"", b".gitignore"), (b"", EXCLUDE_FILE)]
        + [(directory, b".gitignore") for directory in DIRECTORIES]
    )
    text = st.lists(lines(), min_size=1, max_size=5).map(b"\n".join)
    return st.dictionaries(places, text, min_size=1, max_size=5)


@settings(max_examples=300)
@given(texts=rule_files())
def test_git_agrees_about_anything(texts: Texts, git: Git) -> None:
    assert ignored_by_us(texts, git.paths) == git.ignored(texts)


@pytest.fixture(scope="module")
def git_with_all_bytes(tmp_path_factory: pytest.TempPathFactory) -> Git:
    git = Git(os.fsencode(tmp_path_factory.mktemp("bytes")))
    for byte in set(range(1, 256)) - {ord("/")}:
        git.add_file(b"x" + bytes([byte]))
    return git


@pytest.mark.parametrize(
    "name",
    sorted(name.decode() for name in CLASSES),
)
def test_git_agrees_about_every_byte_in_the_class(
    name: str, git_with_all_bytes: Git
) -> None:
    for negation in (b"", b"!"):
        pattern = b"x[%b[:%b:]]" % (negation, name.encode())
        texts = {(b"", b".gitignore"): pattern}
        ours = ignored_by_us(texts, git_with_all_bytes.paths)
        assert ours == git_with_all_bytes.ignored(texts)
