"""pyproject.toml: its extras and its dependency groups name the same packages, and it
names the interpreters that the tests run on."""

import re
import tomllib
from collections.abc import Iterator, Sequence

import pytest

from tests.conventions.source import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]


def packages(group: Sequence[str | dict[str, str]]) -> Iterator[str]:
    for item in group:
        if isinstance(item, str):
            yield item
        else:
            yield from packages(GROUPS[item["include-group"]])


@pytest.mark.parametrize("name", ["dev", "bench"])
def test_a_dependency_group_has_the_packages_of_its_extra(name: str) -> None:
    assert sorted(packages(GROUPS[name])) == sorted(EXTRAS[name])


def test_the_classifiers_name_the_pythons_that_the_tests_run_on() -> None:
    prefix = "Programming Language :: Python :: "
    classifiers = [
        each.removeprefix(prefix)
        for each in PROJECT["project"]["classifiers"]
        if each.startswith(f"{prefix}3.")
    ]
    makefile = (ROOT / "Makefile").read_text()
    [pythons] = re.findall(r"^PYTHONS \?= (.+)$", makefile, re.MULTILINE)
    assert classifiers == pythons.split()
    assert PROJECT["project"]["requires-python"] == f">={classifiers[0]}"
