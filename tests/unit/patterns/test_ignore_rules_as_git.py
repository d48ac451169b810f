"""Which paths are ignored, compared with `git check-ignore` on the same files."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamin.patterns.gitignore import NAMED_CLASSES
from gamin.patterns.ignore_rules import EXCLUDE_FILE
from testkit.examples import examples
from tests.unit.patterns.test_ignore_rules import Texts, with_files

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


@settings(max_examples=examples(80))
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
    sorted(name.decode() for name in NAMED_CLASSES),
)
def test_git_agrees_about_every_byte_in_the_class(
    name: str, git_with_all_bytes: Git
) -> None:
    for negation in (b"", b"!"):
        pattern = b"x[%b[:%b:]]" % (negation, name.encode())
        texts = {(b"", b".gitignore"): pattern}
        ours = ignored_by_us(texts, git_with_all_bytes.paths)
        assert ours == git_with_all_bytes.ignored(texts)
