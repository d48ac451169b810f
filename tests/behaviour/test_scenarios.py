"""Plays every scenario of scenarios/*.txt in every way.

Ways that mostly wait are played all at once, ahead of the tests that report them.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from testkit.original import is_installed, require_original
from testkit.scenario.commands import Comparison, Scenario, Skip
from testkit.scenario.file import parse
from testkit.scenario.in_memory import play_in_memory
from testkit.scenario.ways import DAEMON, LIBGAMIN, ORIGINAL, POLLING, Stage, Way
from testkit.servers import can_mount

SCENARIOS = {
    path.stem: parse(path.read_text())
    for path in sorted((Path(__file__).parents[1] / "scenarios").glob("*.txt"))
}
WAYS = [ORIGINAL]
if find_spec("gamin.daemon.process.main"):
    WAYS += [DAEMON, LIBGAMIN, POLLING]
# So many wait at the same time; most of them for the same second.
LEISURELY_AT_ONCE = 64

Plays = dict[tuple[str, str], Future[None]]


def reason_to_skip(scenario: Scenario, way: Way) -> str | None:
    if scenario.needs_mounts and not can_mount():
        return "needs the right to mount"
    return scenario.reason_to_skip(way.traits)


def is_leisurely(scenario: Scenario, way: Way) -> bool:
    """True if it waits for servers that start, or that poll once a second."""
    return way.leisurely or bool(scenario.gaminrc) or scenario.needs_mounts


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage()
    stage.open(WAYS)
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def original() -> None:
    require_original()


@pytest.fixture(scope="module")
def begun(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Plays]:
    """The selected plays that mostly wait; all of them start at once."""
    missing = [] if is_installed() else [ORIGINAL]
    with ThreadPoolExecutor(LEISURELY_AT_ONCE) as pool:
        yield {
            (name, way.name): pool.submit(stage.play, SCENARIOS[name], way)
            for name, way in _selected(request)
            if is_leisurely(SCENARIOS[name], way)
            and way not in missing
            and not reason_to_skip(SCENARIOS[name], way)
        }


def _selected(request: pytest.FixtureRequest) -> Iterator[tuple[str, Way]]:
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.function is test_scenario:
            name, way = item.callspec.params["name"], item.callspec.params["way"]
            assert isinstance(name, str)
            assert isinstance(way, Way)
            yield name, way


@pytest.mark.xdist_group("scenarios")  # together, or each worker would begin all
@pytest.mark.parametrize(
    ("name", "way"),
    [
        pytest.param(name, way, id=f"{name}[{way.name}]")
        for name in SCENARIOS
        for way in WAYS
    ],
)
def test_scenario(
    name: str, way: Way, stage: Stage, begun: Plays, request: pytest.FixtureRequest
) -> None:
    if way is ORIGINAL:
        request.getfixturevalue("original")
    if reason := reason_to_skip(SCENARIOS[name], way):
        pytest.skip(reason)
    if is_leisurely(SCENARIOS[name], way):
        begun[name, way.name].result()
    else:
        stage.play(SCENARIOS[name], way)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_with_the_core_alone(name: str) -> None:
    if reason := SCENARIOS[name].reason_to_skip(frozenset()):
        pytest.skip(reason)
    play_in_memory(SCENARIOS[name])


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_way_that_a_scenario_names_exists(name: str) -> None:
    exceptions: set[str] = set()
    for step in SCENARIOS[name].steps:
        match step:
            case Skip(ways):
                exceptions |= ways
            case Comparison(_, expectations):
                exceptions = exceptions.union(*(each.ways for each in expectations))
    assert exceptions <= POLLING.traits | ORIGINAL.traits
