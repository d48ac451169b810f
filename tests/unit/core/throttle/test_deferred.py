"""What is withheld is told in the end, to everybody as much as they do not know."""

import pytest

from gamin.config.flow_settings import FlowSettings
from gamin.core.model.difference import entries_since
from gamin.core.model.node import FILE, Node
from gamin.core.scene import Scene
from gamin.events import Kind, Row
from testkit.doubles.engine import plain_policy


@pytest.fixture
def scene() -> Scene:
    """With a root that is busy."""
    scene = Scene(plain_policy(), FlowSettings(churn_per_second=1))
    scene.advance(1.0)
    scene.tree.root.listed = True
    scene.flow.record_report(scene.tree.root, scene.tree.tick, scene.now)
    return scene


def comes(scene: Scene, node: Node, name: bytes) -> None:
    scene.deferred.defer(node, name, False, scene.now)
    scene.tree.add(node, name, FILE)


def goes(scene: Scene, node: Node, name: bytes) -> None:
    scene.deferred.defer(node, name, False, scene.now, dies=True)
    scene.tree.remove(node, name)


def test_who_heard_of_it_in_the_batch_that_took_it_away_hears_that_too(
    scene: Scene,
) -> None:
    root = scene.tree.root
    scene.tree.add(root, b"a", FILE)  # told, before it became too busy
    heard = scene.tree.tick
    goes(scene, root, b"a")
    assert list(entries_since(root, heard)) == []
    scene.advance(2.0)
    scene.deferred.flush(root)
    assert list(entries_since(root, heard)) == [Row(Kind.DELETED, b"/a", False)]


def test_what_came_and_went_meanwhile_is_not_spoken_of(scene: Scene) -> None:
    root = scene.tree.root
    before = scene.tree.tick
    scene.advance(1.1)
    comes(scene, root, b"a")
    goes(scene, root, b"a")
    scene.advance(2.0)
    scene.deferred.flush(root)
    assert list(entries_since(root, before)) == []
