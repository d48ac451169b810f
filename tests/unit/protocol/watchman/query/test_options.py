from typing import Any

import pytest

from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.query.options import checked


def test_members_keep_their_types() -> None:
    given = {"recursive": False, "settle": 1, "suffix": ["a"], "ignore": ["*.o"]}
    assert checked(given) == given


def test_unknown_members_are_ignored() -> None:
    assert checked({"bench": {}, "nonsense": [[]]}) == {}


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("relative_root", 1, "'relative_root' must be a string"),
        ("suffix", [1], "'suffix' must be a string or an array of strings"),
        ("glob", "a", "'glob' must be an array"),
        ("glob", [1], "expected json string object"),
        ("glob", ["a" * 5000], "'glob' must be an array"),
        ("path", "a", "'path' must be an array"),
        ("path", [{"path": "a"}], "with 'path' and 'depth' properties"),
        ("path", [{"path": "a", "depth": 1.5}], "with 'path' and 'depth' properties"),
        ("case_sensitive", 1, "case_sensitive must be a boolean"),
        ("dedup_results", "x", "dedup_results must be a boolean"),
        ("initial", None, "initial must be a boolean"),
        ("sync_timeout", -1, "sync_timeout must be an integer value >= 0"),
        ("sync_timeout", 1.5, "sync_timeout must be an integer value >= 0"),
        ("lock_timeout", "x", "lock_timeout must be an integer value >= 0"),
        ("settle_period", -1, "settle_period must be an integer value >= 0"),
        ("settle_timeout", 10**400, "settle_timeout must be an integer value >= 0"),
        ("request_id", 1, "'request_id' must be a string"),
        ("settle", -1, "settle must be a number of seconds"),
        ("settle", float("nan"), "settle must be a number of seconds"),
        ("settle", 10**400, "settle must be a number of seconds"),
        ("settle", True, "settle must be a number of seconds"),
        ("ignore", "*.o", "ignore must be an array of patterns"),
    ],
)
def test_a_wrong_type_gives_a_clear_error(
    name: str, value: Any, complaint: str
) -> None:
    with pytest.raises(BadQuery, match=complaint):
        checked({name: value})
