"""Each request has its answer, whatever a client requests and in whatever order."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testkit.asker import Asker
from testkit.daemon import Daemon, daemon
from testkit.examples import examples
from testkit.nested import nested

Request = Sequence[object]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    home = tmp_path_factory.mktemp("home")
    with daemon(f"test-answered-{os.getpid()}", home) as server:
        yield server


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    made = tmp_path_factory.mktemp("roots").resolve()
    for name in ("a", "b"):
        (made / name / "folder").mkdir(parents=True)
        (made / name / "file").touch()
    return [str(made / "a"), str(made / "b"), str(made / "missing")]


def in_place(served: Daemon, requests: Sequence[Request]) -> None:
    """AssertionError unless each request is answered before the next one is.

    A request for the pid marks the place behind each: its answer is known.
    """
    with Asker(served.watchman()) as asker:
        for request in requests:
            asker.write(*request)
            asker.write("get-pid")
        for request in requests:
            answers = 0
            while "pid" not in (answer := asker.read()):
                is_message = "subscription" in answer or "unilateral" in answer
                answers += not is_message
            assert answers == 1, request
    assert served.process.poll() is None


def test_a_subscription_to_a_root_that_was_deleted_and_watched_again_is_answered(
    served: Daemon, roots: list[str]
) -> None:
    a = roots[0]
    again: list[Request] = [["watch", a], ["subscribe", a, "n", {}]]
    rest: list[Request] = [["watch-del", a], *again, ["unsubscribe", a, "n"]]
    in_place(served, [*again, *rest])


def test_a_lone_surrogate_of_another_type_is_answered(
    served: Daemon, roots: list[str]
) -> None:
    lone = "\ud800"
    in_place(
        served,
        [
            ["watch", roots[0]],
            ["subscribe", roots[0], lone, {}],
            ["query", roots[0], {"fields": [lone]}],
            ["query", roots[0], {"expression": [lone]}],
            ["query", roots[0], {"since": lone}],
            ["query", roots[0], {lone: lone}],
            ["state-enter", roots[0], lone],
            ["state-leave", roots[0], {"name": lone, "metadata": lone}],
            ["unsubscribe", roots[0], lone],
            [lone],
            ["watch", lone],
            ["version", {"required": [lone], "optional": [lone]}],
        ],
    )


def test_a_long_chain_of_symlinks_is_answered(served: Daemon, tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_DIRECTORY)
    os.mkdir("0", dir_fd=here)
    for number in range(1, 30_000):
        os.symlink(str(number - 1), str(number), dir_fd=here)
    os.close(here)
    in_place(
        served, [["watch", f"{tmp_path}/29999"], ["watch-project", f"{tmp_path}/99"]]
    )


def test_a_request_whose_root_is_deleted_before_it_is_listed_is_answered(
    served: Daemon, tmp_path: Path
) -> None:
    for number in range(3_000):
        (tmp_path / f"{number}").mkdir()
    with Asker(served.watchman()) as one, Asker(served.watchman()) as other:
        one.write("watch", str(tmp_path))
        one.write("get-pid")
        other.ask("watch-del-all")
        assert {"watch", "error"} & one.read().keys()
        assert "pid" in one.read()


NAMES = st.sampled_from(["n", "m", "", "\ud800", "\udcff"])


def negated(times: int) -> object:
    expression: object = "true"
    for _ in range(times):
        expression = ["not", expression]
    return expression


QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "fields": st.lists(
            st.sampled_from(["name", "exists", "size", "mtime", "\udc80", "new"]),
            max_size=3,
        ),
        "since": st.sampled_from(["c:0:0", "c:1:2:3:4", "n:x", "n:\udcff", "", "x"])
        | st.integers(-(2**70), 2**70),
        "expression": st.sampled_from(
            ["true", ["not"], ["name", "x"], ["allof"], ["match", "*", {}], ["\ud800"]]
        )
        | st.integers(1, 40).map(negated),
        "relative_root": st.sampled_from(["folder", "..", "\ud800", "file"]),
        "path": st.lists(st.sampled_from(["", "folder", "\udc80"]), max_size=2),
        "suffix": st.sampled_from(["c", ["c", "h"], "\ud801", 1]),
        "settle": st.sampled_from([0, 0.01, -1, 1e300]),
        "initial": st.booleans() | st.none(),
        "watch": st.booleans(),
        "ignore": st.lists(st.sampled_from(["*.c", "[", "\udc80"]), max_size=2),
        "defer": st.lists(NAMES, max_size=2),
        "drop": st.lists(NAMES, max_size=2),
    },
)
ANY = nested(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    max_size=3,
)
ROOT_NUMBERS = st.integers(0, 2)
WORDS: st.SearchStrategy[tuple[str, list[object]]] = st.one_of(
    st.sampled_from(
        ["watch", "watch-del", "watch-project", "clock", "flush-subscriptions"]
    ).map(lambda verb: (verb, [])),
    st.sampled_from(["watch", "watch-del"]).map(lambda verb: (verb, [])),
    st.tuples(st.just("subscribe"), st.tuples(NAMES, QUERIES).map(list)),
    st.tuples(st.just("unsubscribe"), NAMES.map(lambda name: [name])),
    st.tuples(st.just("query"), QUERIES.map(lambda query: [query])),
    st.tuples(st.just("since"), st.lists(ANY, max_size=2)),
    st.tuples(st.just("find"), st.lists(ANY, max_size=2)),
    st.tuples(
        st.sampled_from(["state-enter", "state-leave"]),
        NAMES.map(lambda name: [name]) | ANY.map(lambda value: [value]),
    ),
    st.tuples(st.just("flush-subscriptions"), ANY.map(lambda value: [value])),
)


@settings(
    max_examples=examples(80),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.tuples(ROOT_NUMBERS, WORDS)
        | st.sampled_from([(-1, ("watch-list", [])), (-1, ("watch-del-all", []))])
        | st.tuples(
            st.just(-1), st.tuples(st.just("version"), st.lists(ANY, max_size=1))
        ),
        max_size=14,
    )
)
def test_any_sequence_of_requests_has_as_many_answers_in_their_order(
    served: Daemon, roots: list[str], words: list[tuple[int, tuple[str, list[object]]]]
) -> None:
    requests: list[Request] = []
    for number, (verb, arguments) in words:
        root = [] if number < 0 else [roots[number]]
        requests.append([verb, *root, *arguments])
    in_place(served, requests)
