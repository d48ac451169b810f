"""Scenario files: what is understood, and that nonsense is refused with its line."""

from pathlib import Path

import pytest

from testkit.scenario.commands import Command, Comparison
from testkit.scenario.file import VERBS, ScenarioError, parse
from testkit.scenario.pattern import CODES

DAEMON: frozenset[str] = frozenset()
POLLING = frozenset({"polling"})

RENAME = r"""# A rename is two events.

mkdir  box
touch  box/a\n  box/f[1..2]
watch  box

Events:
    exists     box
    end-exist  box
Events [polling]: it is late
    nothing

mv     box/a  box/b
"""


def test_commands_keep_their_order_lines_and_words() -> None:
    scenario = parse(RENAME)
    assert scenario.title == "A rename is two events."
    commands = [step for step in scenario.steps if isinstance(step, Command)]
    assert commands == [
        Command(3, "mkdir", b"", (b"box",)),
        Command(4, "touch", b"", (b"box/a\n", b"box/f1", b"box/f2")),
        Command(5, "watch", b"", (b"box",)),
        Command(13, "mv", b"", (b"box/a", b"box/b")),
    ]


def test_blocks_in_a_row_are_one_comparison_with_its_differences() -> None:
    [comparison] = [
        step for step in parse(RENAME).steps if isinstance(step, Comparison)
    ]
    assert comparison.line == 7
    assert len(comparison.of("box", DAEMON).pattern) == 2
    assert comparison.of("box", POLLING).pattern == ()
    assert comparison.of("another", DAEMON).pattern == ()


def test_a_skip_at_the_top_leaves_all_out() -> None:
    scenario = parse("# Title\nskip [polling]: it is late\nmkdir box\n")
    assert scenario.reason_to_skip(POLLING) == "it is late"
    assert scenario.reason_to_skip(DAEMON) is None


def test_a_skip_further_down_leaves_out_the_rest() -> None:
    scenario = parse("# Title\nmkdir box\nskip [polling]: it is late\n")
    assert scenario.reason_to_skip(POLLING) is None


def test_a_block_may_give_its_events_time() -> None:
    [_, comparison] = parse(
        "# Title\nwatch box\nEvents of box within 2.5 s:\n  nothing\n"
    ).steps
    assert isinstance(comparison, Comparison)
    assert comparison.of("box", DAEMON).within == 2.5


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        pytest.param("launch box", "line 2: no such command", id="command"),
        pytest.param("mv box", "line 2: mv takes 2", id="too few words"),
        pytest.param("Events:\n  nothing", "line 2: Events of which", id="no request"),
        pytest.param("watch a\nwatch b\nEvents:\n  nothing", "line 4: Ev", id="which"),
        pytest.param("watch a\nwatch a", "line 3: a second request", id="same name"),
        pytest.param(r"watch a\n", "needs 'as NAME'", id="name with an escape"),
        pytest.param(
            "watch a\nEvents of b:\n  nothing", "line 3: no req", id="unknown"
        ),
        pytest.param("cancel a", "line 2: no request", id="cancel what"),
        pytest.param("watch a\nEvents:\n", "line 3: an empty block", id="empty block"),
        pytest.param("watch a\nEvents [polling]:\n  nothing", "reason", id="no reason"),
        pytest.param("watch a\nEvents: so\n  nothing", "reason", id="idle reason"),
        pytest.param("skip [polling]:", "line 2: a difference needs", id="mere skip"),
        pytest.param("mkdir a\n  b", "line 2: only Events", id="indented command"),
        pytest.param(
            "watch a\nEvents:\n  nothing\nEvents:\n  nothing",
            "line 5: a second block",
            id="two blocks for all",
        ),
        pytest.param(
            "watch a\nEvents:\n  gone a", "line 3: no such event", id="bad event"
        ),
    ],
)
def test_nonsense_is_refused_with_its_line(lines: str, complaint: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse(f"# Title\n{lines}\n")
    assert complaint in str(refused.value)


def test_a_scenario_says_what_it_shows() -> None:
    with pytest.raises(ScenarioError, match="line 1"):
        parse("mkdir box\n")


def test_the_language_is_described() -> None:
    described = (Path(__file__).parents[2] / "scenarios/README.md").read_text()
    words = set(described.replace("`", " ").replace(",", " ").split())
    assert {*VERBS, *CODES} <= words
