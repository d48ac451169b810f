"""Which paths are ignored: precedence of the rules, and what is loaded."""

import pytest

from gamin.patterns.ignore_rules import EXCLUDE_FILE, IgnoreRules
from gamin.patterns.rule_groups import MAX_PATTERNS, MAX_TEXT, MAX_WILDCARDS

Texts = dict[tuple[bytes, bytes], bytes]  # by directory and name of the rule file


def with_files(texts: Texts, globs: tuple[bytes, ...] = ()) -> IgnoreRules:
    rules = IgnoreRules(globs, vcs=True)
    for (directory, name), text in texts.items():
        rules.load(directory, name, text)
    return rules


# What is asked for


def test_nothing_is_ignored_without_rules() -> None:
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


def test_loading_returns_whether_the_answers_may_differ() -> None:
    rules = IgnoreRules(vcs=True)
    assert not rules.load(b"", b".gitignore", None)
    assert not rules.load(b"", b".gitignore", b"# nothing\n")
    assert rules.load(b"", b".gitignore", b"a\n")
    assert not rules.load(b"", b".gitignore", b"# better explained\r\na\r\n")
    assert rules.load(b"", b".gitignore", b"a/\n")
    assert rules.load(b"", b".gitignore", None)
    assert not rules.load(b"", b".gitignore", None)


def test_an_unchanged_rule_file_is_recognised() -> None:
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


def test_the_old_place_of_a_rename_keeps_its_rules_until_it_is_forgotten() -> None:
    rules = with_files({(place, b".gitignore"): b"x" for place in (b"a", b"a/b")})
    rules.moved(b"a", b"c")
    assert rules.ignored(b"a/b/x", is_dir=False)
    rules.forget(b"a")
    paths = [b"a/x", b"a/b/x", b"c/x", b"c/b/x"]
    assert [rules.ignored(path, is_dir=False) for path in paths] == [0, 0, 1, 1]


def test_the_former_rules_at_the_target_of_a_rename_are_gone() -> None:
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


# More rule files than a tree has room for

LARGE = b"\n".join(b"*%da*b*c*d" % number for number in range(1000))
"""A rule file that ignores x1axbxcxd; a few dozen of them are too many for a tree."""


def full(base: bytes = b"") -> tuple[IgnoreRules, list[bytes], list[bytes]]:
    """Rules that refused their last file, the directories of all files in the order in
    which they were loaded, and a list of the places that are refused."""
    rules = IgnoreRules((), vcs=True, base=base)
    refused: list[bytes] = []
    rules.on_refused = lambda place, name: refused.append(place)
    directories: list[bytes] = []
    while not refused and len(directories) < 60:
        directories.append(b"d%d" % len(directories))
        rules.load(directories[-1], b".gitignore", LARGE)
    assert 4 < len(directories) < 60
    return rules, directories, refused


def is_followed(rules: IgnoreRules, directory: bytes) -> bool:
    return rules.ignored(directory + b"/x1axbxcxd", is_dir=False)


def test_a_file_that_is_one_too_many_is_refused_until_others_go() -> None:
    rules, (first, *_, last), _ = full()
    assert not is_followed(rules, last)
    assert is_followed(rules, first)
    assert rules.knows(last, b".gitignore", LARGE)  # it is not loaded again and again
    rules.load(first, b".gitignore", None)
    assert rules.load(last, b".gitignore", LARGE)
    assert is_followed(rules, last)
    rules.forget(b"")
    assert rules.is_empty is False  # the directories of version control


def test_asking_refuses_nothing_and_loading_reports_it_once() -> None:
    rules, _, refused = full()
    refused.clear()
    assert not rules.knows(b"new", b".gitignore", LARGE)
    assert refused == []
    for _ in range(2):
        rules.load(b"new", b".gitignore", LARGE)
        assert rules.knows(b"new", b".gitignore", LARGE)
    assert refused == [b"new"]


def test_a_file_that_was_followed_or_gone_meanwhile_is_reported_again() -> None:
    rules, (first, *_, last), refused = full()
    rules.load(last, b".gitignore", None)
    rules.load(last, b".gitignore", LARGE)
    assert refused == [last] * 2
    rules.forget(last)
    rules.load(last, b".gitignore", LARGE)
    assert refused == [last] * 3
    rules.load(first, b".gitignore", None)
    rules.load(last, b".gitignore", LARGE)
    rules.load(first, b".gitignore", LARGE)
    assert refused == [*[last] * 3, first]


@pytest.mark.parametrize("base", [b"", b"home/me"])
def test_a_refused_file_is_named_when_there_is_room_for_it(base: bytes) -> None:
    rules, (first, *_, last), _ = full(base)
    assert rules.refused_with_room() == []
    rules.load(first, b".gitignore", b"x\n")
    assert rules.refused_with_room() == [(last, b".gitignore")]
    rules.load(last, b".gitignore", LARGE)
    assert rules.refused_with_room() == []


@pytest.mark.parametrize("directory", [b"", b"..", b"../.."])
def test_a_refused_file_at_or_above_the_root_is_named_as_it_was_loaded(
    directory: bytes,
) -> None:
    rules, (first, *_), _ = full(b"home/me")
    rules.load(directory, b".ignore", LARGE)
    rules.load(first, b".gitignore", None)
    assert (directory, b".ignore") in rules.refused_with_room()


def test_a_refused_file_moves_with_its_directory() -> None:
    rules, (first, *_, last), refused = full()
    rules.moved(last, b"new")
    rules.forget(last)
    assert rules.knows(b"new", b".gitignore", LARGE)
    rules.load(first, b".gitignore", None)
    assert rules.refused_with_room() == [(b"new", b".gitignore")]
    assert refused == [last]


def test_files_of_a_renamed_directory_stay_while_both_places_count() -> None:
    rules, (first, *_), refused = full()
    rules.moved(first, b"new")
    assert rules.knows(b"new", b".gitignore", LARGE)
    assert not rules.load(b"new", b".gitignore", LARGE)
    assert is_followed(rules, b"new")
    assert b"new" not in refused
