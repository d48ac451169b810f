"""Every client ends up with the disk's state, while flow control defers nearly all."""

from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from gamin.config.flow_settings import FlowSettings
from gamin.core.model.subscription import Scope
from testkit.actions.in_memory import Act
from testkit.doubles.engine import Shell
from testkit.examples import examples
from tests.models.test_model import NUMBERS, Ask, Read, Sneak, Step, Turn, Wait, perform

IMPATIENT = FlowSettings(
    reports_per_second=1, churn_per_second=1, raw_events_per_second=3
)

FOLDERS = st.sampled_from([b"/w", b"/w/a", b"/w/b"])
PATHS = FOLDERS | st.builds(
    lambda folder, name: folder + b"/" + name, FOLDERS, st.sampled_from([b"a", b"b"])
)
ACTS = st.one_of(
    st.builds(Act, st.sampled_from(["touch", "write", "unlink"]), PATHS),
    st.builds(Act, st.sampled_from(["mkdir", "touch", "unlink", "rmtree"]), PATHS),
    st.builds(Act, st.just("rename"), PATHS, PATHS),
)
ASKS = st.builds(Ask, NUMBERS, PATHS, st.sampled_from(Scope))
WAITS = st.builds(Wait, st.sampled_from([0.01, 0.3, 1.0, 7.0]))
STEPS: st.SearchStrategy[list[Step]] = st.one_of(
    ACTS.map(lambda act: [act]),
    ACTS.map(lambda act: [act, Turn()]),
    ACTS.map(lambda act: [act, Turn()]),
    PATHS.map(lambda path: [Act("touch", path), Turn(), Act("unlink", path), Turn()]),
    st.builds(Sneak, st.integers(1, 6), ACTS).map(lambda sneak: [sneak]),
    WAITS.map(lambda wait: [wait]),
    st.builds(Read, NUMBERS, st.booleans()).map(lambda read: [read]),
    ASKS.map(lambda ask: [ask]),
)


@settings(max_examples=examples(100))
@given(
    asks=st.lists(ASKS, min_size=1, max_size=3),
    steps=st.lists(STEPS, max_size=40),
)
def test_every_belief_equals_the_disk_at_rest_while_paths_are_busy(
    asks: list[Ask], steps: list[list[Step]]
) -> None:
    perform([*asks, *chain.from_iterable(steps)], Shell(settings=IMPATIENT))
