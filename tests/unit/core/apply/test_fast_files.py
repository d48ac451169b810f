"""The fast pass reports the same as the general modules."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gamin.config.flow_settings import FlowSettings
from gamin.core.model.node import FILE
from gamin.core.model.subscription import Scope
from gamin.events import CREATE, DELETE, IS_DIR, MODIFY, Change
from testkit.actions.in_memory import Act
from testkit.doubles.clients import View
from testkit.doubles.engine import Shell
from testkit.examples import examples
from testkit.words import as_words

CALM = FlowSettings()
NERVOUS = FlowSettings(
    reports_per_second=2, churn_per_second=2, raw_events_per_second=1, calm_seconds=4.0
)
FOLDERS = [b"/d", b"/d/sub", b"/d/other"]
NAMES = [folder + name for folder in FOLDERS for name in (b"/a", b"/b", b"/c")]


names = st.sampled_from(NAMES)
acts = st.one_of(
    st.builds(Act, st.sampled_from(["touch", "write", "unlink", "mkdir"]), names),
    st.builds(Act, st.sampled_from(["touch", "unlink"]), st.sampled_from(NAMES[:3])),
    st.builds(Act, st.sampled_from(["rename", "move and write"]), names, names),
    st.builds(Act, st.just("chmod"), names),
    st.builds(Act, st.just("rmtree"), st.sampled_from([*NAMES, b"/d/other"])),
    st.builds(Act, st.just("mkdir"), st.just(b"/d/other")),
)
pauses = st.sampled_from([0.0, 0.001, 0.03, 0.4, 0.4, 1.0, 3.0])
rounds = st.lists(st.tuples(st.lists(acts, max_size=12), pauses), max_size=12)


def played(
    shell: Shell, script: list[tuple[list[Act], float]], scope: Scope
) -> list[object]:
    """What is delivered to a client and the tree, round by round."""
    for folder in FOLDERS:
        shell.disk.makedirs(folder)
    client: View = shell.view()
    client.subscribe(b"/d", scope)
    story: list[object] = [as_words(client.rows())]
    ticks = [shell.monitor.tree.tick]
    for round_, pause in script:
        for act in round_:
            act.on(shell)
        shell.run_once()
        shell.sleep(pause)
        tree = shell.monitor.tree
        ticks.append(tree.tick)
        story.append(as_words(client.rows()))
        story.append((tree.tick, tree.touches, shell.monitor.deadline()))
        [subscription] = shell.monitor.subscriptions
        for tick in ticks:
            story.append(as_words(shell.rows_since(subscription, tick) or ()))
    return story


@given(rounds, st.sampled_from([CALM, NERVOUS]), st.sampled_from(Scope))
@settings(max_examples=examples(150), deadline=None)
def test_the_fast_pass_reports_the_same_as_the_general_modules(
    script: list[tuple[list[Act], float]], flow: FlowSettings, scope: Scope
) -> None:
    quick, slow = Shell(settings=flow), Shell(settings=flow)
    slow.monitor.fast_files.is_off = True
    assert played(quick, script, scope) == played(slow, script, scope)


def test_the_fast_pass_stops_at_the_first_change_that_is_not_plain() -> None:
    shell = Shell()
    shell.disk.makedirs(b"/d/sub")
    shell.view().subscribe(b"/d", Scope.TREE)
    shell.run_once()
    node = shell.monitor.tree.find(b"/d")
    assert node is not None
    quick = shell.monitor.fast_files
    batch = [
        Change(node, CREATE, 0, b"one"),
        Change(node, MODIFY, 0, b"one"),
        Change(node, DELETE, 0, b"unknown"),
        Change(node, CREATE | IS_DIR, 0, b"two"),
    ]
    assert quick.apply(batch, 0) == 2
    assert node.names[b"one"] is FILE
    assert quick.apply(batch, 3) == 3
    assert quick.apply(batch, 4) == 4
