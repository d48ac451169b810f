"""Which tests are handed to a process together."""

import pytest

from testkit.scheduling import ModuleScheduling


@pytest.mark.parametrize(
    ("test", "together"),
    [
        ("tests/unit/core/test_a.py::test_b[x]", "tests/unit/core/test_a.py"),
        ("tests/conventions/test_a.py::test_b", "tests/conventions/test_a.py"),
        ("tests/unit/core/test_a.py::test_b@group", "group"),
        ("tests/interop/test_a.py::test_b@group", "group"),
        ("tests/models/test_a.py::test_b[x]", "tests/models/test_a.py::test_b[x]"),
    ],
)
def test_short_tests_go_by_module_and_others_alone_or_by_group(
    test: str, together: str
) -> None:
    scheduling = object.__new__(ModuleScheduling)
    assert scheduling._split_scope(test) == together
