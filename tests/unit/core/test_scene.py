import pytest

from gamin.config.flow_settings import FlowSettings
from gamin.core.scene import Scene
from testkit.doubles.engine import plain_policy


@pytest.fixture
def scene() -> Scene:
    return Scene(plain_policy(), FlowSettings())


def test_every_happening_has_a_tick_of_its_own(scene: Scene) -> None:
    before = scene.tree.tick
    scene.advance(5.0)
    scene.advance(5.0)
    assert scene.tree.tick == before + 2
    assert scene.now == 5.0


def test_what_happened_two_seconds_ago_is_recent(scene: Scene) -> None:
    scene.advance(5.0)
    then = scene.tree.tick
    scene.advance(7.9)
    assert then > scene.recent_tick


def test_what_happened_three_seconds_ago_is_not(scene: Scene) -> None:
    scene.advance(5.0)
    then = scene.tree.tick
    scene.advance(8.0)
    assert then <= scene.recent_tick


def test_after_a_long_rest_nothing_is_recent_but_the_present(scene: Scene) -> None:
    scene.advance(5.0)
    scene.advance(500.0)
    assert scene.recent_tick == scene.tree.tick - 1
