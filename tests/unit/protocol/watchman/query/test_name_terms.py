from typing import Any

import pytest

from testkit.expressions import complaint, matches, matching
from testkit.rows import FakeDisk, row

NAMES = ("a.c", "A.C", "sub/a.c", "sub/deep/b.txt", ".txt", "sub.c/d")


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        pytest.param(["name", "a.c"], ["a.c", "sub/a.c"], id="base name"),
        pytest.param(["name", ["a.c", "d"]], ["a.c", "sub/a.c", "sub.c/d"], id="names"),
        pytest.param(["name", "sub/a.c"], [], id="a base name has no slash"),
        pytest.param(["name", "sub/a.c", "wholename"], ["sub/a.c"], id="whole name"),
        pytest.param(["name", []], [], id="no name"),
        pytest.param(["iname", "A.c"], ["a.c", "A.C", "sub/a.c"], id="in any case"),
        pytest.param(["match", "*.c"], ["a.c", "sub/a.c"], id="pattern"),
        pytest.param(["match", "*.c", "wholename"], ["a.c"], id="whole pattern"),
        pytest.param(["imatch", "*.C", "wholename"], ["a.c", "A.C"], id="any case"),
        pytest.param(
            ["match", "*", "basename", {"includedotfiles": True, "noescape": True}],
            list(NAMES),
            id="hidden names too",
        ),
        pytest.param(["pcre", "^a"], ["a.c", "sub/a.c"], id="expression"),
        pytest.param(["pcre", "/a", "wholename"], ["sub/a.c"], id="whole expression"),
        pytest.param(["ipcre", "^a"], ["a.c", "A.C", "sub/a.c"], id="either case"),
        pytest.param(["dirname", "sub"], ["sub/a.c", "sub/deep/b.txt"], id="directory"),
        pytest.param(["dirname", "sub/"], ["sub/a.c", "sub/deep/b.txt"], id="slash"),
        pytest.param(["dirname", ""], list(NAMES), id="the top"),
        pytest.param(["idirname", "SUB/Deep"], ["sub/deep/b.txt"], id="idirname"),
        pytest.param(["dirname", "sub", ["depth", "eq", 0]], ["sub/a.c"], id="depth"),
        pytest.param(
            ["dirname", "", ["depth", "ge", 2]], ["sub/deep/b.txt"], id="deep"
        ),
        pytest.param(["suffix", "c"], ["a.c", "A.C", "sub/a.c"], id="suffix"),
        pytest.param(["suffix", ["TXT"]], ["sub/deep/b.txt", ".txt"], id="suffixes"),
        pytest.param(["suffix", ""], [], id="an empty suffix"),
    ],
)
def test_names_that_match(expression: Any, found: list[str]) -> None:
    assert matching(expression, *NAMES) == found


@pytest.mark.parametrize(
    "expression", [["name", "A.c"], ["match", "A.*"], ["pcre", "^A"], ["dirname", ""]]
)
def test_a_query_can_ignore_case_for_all_its_terms(expression: Any) -> None:
    assert matches(expression, row(b"a.C"), fold=True)


def test_names_that_are_not_utf_8_match_too() -> None:
    assert matches(["name", "\udcff"], row(b"\xff"))
    assert matches(["match", "?"], row(b"\xff"))


def test_names_are_asked_without_looking_at_the_disk() -> None:
    disk = FakeDisk(None)
    matches(["anyof", ["name", "x"], ["match", "x"], ["suffix", "x"]], row(disk=disk))
    assert disk.probes == []


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("name", "Expected array for 'name' term"),
        (["name"], "Invalid number of arguments for 'name' term"),
        (["name", "a", "basename", 1], "Invalid number of arguments for 'name' term"),
        (
            ["name", [1]],
            "Argument 2 to 'name' must be either a string or an array of string",
        ),
        (["iname", "a", 1], "Argument 3 to 'iname' must be a string"),
        (["iname", "a", "x"], "Invalid scope 'x' for iname expression"),
        (["match", 1], 'First parameter to "match" term must be a pattern string'),
        (
            ["match", "a", 1],
            'Second parameter to "match" term must be an optional scope string',
        ),
        (["match", "a", "x"], "Invalid scope 'x' for match expression"),
        (
            ["match", "a", "basename", 1],
            'Third parameter to "match" term must be an optional object',
        ),
        (
            ["match", "a", "basename", {"noescape": 1}],
            'noescape option for "match" term must be a boolean',
        ),
        (
            ["imatch", "a", "basename", {}, 1],
            'too many parameters passed to "imatch" expression',
        ),
        (["match", "a" * 5000], 'the pattern of the "match" term is too long'),
        (["pcre"], 'Expected ["pcre", "pattern", "scope"?]'),
        (["pcre", "("], "invalid pcre: missing ): ( at offset 1 in (()"),
        (
            ["pcre", "ab**c"],
            "invalid pcre: bad repetition operator: ** at offset 4 in (ab**c)",
        ),
        (["pcre", "a", "x"], "Invalid scope 'x' for pcre expression"),
        ("dirname", "Expected array for 'dirname' term"),
        (["dirname"], "Invalid number of arguments for 'dirname' term"),
        (["dirname", "a", 1], "Invalid number of arguments for 'dirname' term"),
        (["dirname", 1], "Argument 2 to 'dirname' must be a string"),
        (
            ["idirname", "a", ["dep", "eq", 0]],
            "Third parameter to 'idirname' should be a relational depth term",
        ),
        (
            ["dirname", "a", ["depth", "x", 0]],
            "integer comparator opname `x' is invalid",
        ),
        ("suffix", "Expected array for 'suffix' term"),
        (["suffix", "a", "b"], "Invalid number of arguments for 'suffix' term"),
        (
            ["suffix", 1],
            "Argument 2 to 'suffix' must be either a string or an array of string",
        ),
    ],
)
def test_wrong_arguments_give_a_clear_error(expression: Any, text: str) -> None:
    assert complaint(expression) == text
