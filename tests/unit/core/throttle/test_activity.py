"""What flow control and polling keep back is known to whoever asks."""

import pytest

from gamin.config.flow_settings import FlowSettings
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope
from gamin.core.model.tree import Tree
from gamin.core.throttle.activity import Activities, Activity
from gamin.core.throttle.debounce import WriteDebouncer
from gamin.core.throttle.flow_control import FlowControl, Resource
from testkit.doubles.engine import Shell

START = 100.0
PATH = b"/d/f"


class Scene:
    """A tree with the directory /d, in which there is the file f."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.node = Node(self.tree.root, b"d")
        self.tree.root.names = {b"d": self.node}
        self.tree.add(self.node, b"f", False)
        self.flow = FlowControl(FlowSettings())
        self.debouncer = WriteDebouncer()

    def make_busy(self, resource: Resource) -> None:
        while resource not in self.flow.busy:
            self.flow.record_report(resource, 1, START)

    def ask(self, now: float, path: bytes = PATH) -> Activity | None:
        return Activities(self.tree, self.flow, self.debouncer).of(path, now)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("path", [PATH, b"/d/other", b"/missing/f", b"/", b""])
def test_there_is_nothing_to_say_of_what_was_reported(
    scene: Scene, path: bytes
) -> None:
    assert scene.ask(START, path) is None


def test_a_busy_file_is_active_when_it_last_changed(scene: Scene) -> None:
    entry = (scene.node, b"f")
    scene.make_busy(entry)
    assert scene.ask(START + 0.5) == Activity(START, False, 0.0)
    scene.flow.record_report(entry, 2, START + 0.6)
    assert scene.ask(START + 0.7) == Activity(START + 0.6, True, 0.0)
    scene.flow.due(3, START + 1.1)
    assert scene.ask(START + 1.2) == Activity(START + 0.6, False, 0.0)


def test_a_kernel_event_without_a_report_is_activity(scene: Scene) -> None:
    entry = (scene.node, b"f")
    scene.make_busy(entry)
    scene.flow.record_kernel_events(entry, START + 0.6)
    assert scene.ask(START + 0.7) == Activity(START + 0.6, False, 0.0)


def test_a_path_that_comes_and_goes_is_active(scene: Scene) -> None:
    scene.make_busy((scene.node, b"f", None))
    assert scene.ask(START + 0.5) == Activity(START, False, 0.0)


def test_a_write_that_is_held_for_its_close_is_activity(scene: Scene) -> None:
    scene.debouncer.hold(scene.node, b"f", START)
    assert scene.ask(START + 0.01) == Activity(START + 0.01, True, 0.0)


def test_churn_in_the_directory_concerns_only_deferred_entries(scene: Scene) -> None:
    scene.make_busy(scene.node)
    assert scene.ask(START) is None
    scene.tree.start_deferring(scene.node)[b"f"] = None  # type: ignore[assignment]  # not read
    assert scene.ask(START) == Activity(START, False, 0.0)


def test_polling_may_detect_a_change_an_interval_later(scene: Scene) -> None:
    scene.node.poll_mask, scene.node.interval = 1, 2.5
    assert scene.ask(START) == Activity(None, False, 2.5)


def test_a_held_write_is_about_to_be_reported_unless_its_file_is_busy(
    scene: Scene,
) -> None:
    activities = Activities(scene.tree, scene.flow, scene.debouncer)
    assert not activities.is_held_below(b"/d/")
    scene.debouncer.hold(scene.node, b"f", START)
    assert activities.is_held_below(b"/d/")
    assert activities.is_held_below(b"/")
    assert not activities.is_held_below(b"/other/")
    scene.make_busy((scene.node, b"f"))
    assert not activities.is_held_below(b"/d/")


def test_a_rename_over_a_busy_file_is_activity_of_its_name() -> None:
    """A client that knows of the file before would take it for the late report of
    that, if a difference says that the name changed."""
    shell = Shell()
    shell.disk.makedirs(b"/d")
    for name in (b"f", b"g"):
        shell.disk.touch(b"/d/" + name)
    shell.view().subscribe(b"/d", Scope.TREE)
    node = shell.monitor.tree.find(b"/d")
    assert node is not None
    while (node, b"f") not in shell.monitor.flow.busy:
        shell.now += 0.001
        shell.disk.write(b"/d/f")
        shell.run_once()
    before = shell.monitor.activities.of(PATH, shell.now)
    shell.now += 0.2
    shell.disk.rename(b"/d/g", PATH)
    shell.run_once()
    after = shell.monitor.activities.of(PATH, shell.now)
    assert before is not None
    assert after is not None
    assert after.last_change == shell.now != before.last_change
