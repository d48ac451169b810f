"""pyproject.toml: its extras and its dependency groups name the same packages."""

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


def test_every_supported_python_has_a_classifier() -> None:
    prefix = "Programming Language :: Python :: 3."
    classified = [c for c in PROJECT["project"]["classifiers"] if c.startswith(prefix)]
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert f"{prefix}{oldest.removeprefix('3.')}" == classified[0]
