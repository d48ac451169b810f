"""docs/configuration.md says what the code does: its tables and its examples."""

import re
from pathlib import Path

from gamin.config.client_limits import RANGES, ClientLimits
from gamin.config.flow_settings import LIMITS, FlowSettings
from gamin.config.gaminrc import Mistake, parse
from gamin.config.policy import BUILT_IN_FILESYSTEMS, BUILT_IN_PATHS
from gamin.config.state_settings import STATE_RANGES, StateSettings

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
BLOCKS = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = [text for language, text in BLOCKS if not language]


def rows(section: str) -> list[list[str]]:
    """The cells of the tables in one section, without the heads."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in lines[2:]]


def test_every_example_is_understood() -> None:
    assert len(EXAMPLES) == 3
    for example in EXAMPLES:
        items = list(parse(example.encode(), b"/home/me"))
        assert items
        assert not [str(item) for item in items if isinstance(item, Mistake)]


def test_the_built_in_path_rules_are_those_listed() -> None:
    listed = parse(EXAMPLES[1].encode(), b"/")
    assert list(map(str, listed)) == list(map(str, BUILT_IN_PATHS))


def test_the_remote_file_systems_are_those_listed() -> None:
    listed = {
        (type_, float(seconds))
        for seconds, types in rows("File systems that others change")
        for type_ in types.split(", ")
    }
    assert listed == {(r.type, r.interval) for r in BUILT_IN_FILESYSTEMS}


def test_the_flow_settings_are_those_listed() -> None:
    settings = FlowSettings()
    assert [row[:3] for row in rows("Flow control")] == [
        [
            name,
            f"{getattr(settings, name):g}",
            f"{limits.least} to {limits.most}",
        ]
        for name, limits in LIMITS.items()
    ]


def test_the_settings_of_what_is_kept_are_those_listed() -> None:
    defaults = StateSettings()
    assert [row[:3] for row in rows("What is kept across restarts")] == [
        [name, f"{getattr(defaults, name):g}", f"{range_.least} to {range_.most}"]
        for name, range_ in STATE_RANGES.items()
    ]


def test_the_limits_of_clients_are_those_listed() -> None:
    defaults = ClientLimits()
    assert [row[:3] for row in rows("Limits of clients")] == [
        [name, f"{getattr(defaults, name)}", f"{range_.least} to {range_.most}"]
        for name, range_ in RANGES.items()
    ]
