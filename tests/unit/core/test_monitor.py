"""The parts together: requests, effects, deadlines, and nothing left over."""

import pytest

from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy
from gamin.core.deliver.cursor import Cursor
from gamin.core.effects import Deliver, Effect, Probe, Ready, Scan, Watch
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.monitor import Monitor
from gamin.core.resolve.path_walk import PathResolver
from gamin.events import CREATE, IGNORED, OVERFLOW, Change, Kind
from testkit.actions.in_memory import Act
from testkit.beliefs.strict import truth
from testkit.doubles.clients import Client
from testkit.doubles.engine import Shell, plain_policy
from testkit.words import as_words

NOW = 10.0


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    shell.disk.makedirs(b"/d/sub")
    shell.disk.touch(b"/d/f")
    return shell


def kinds(effects: list[Effect]) -> list[type]:
    return [type(effect) for effect in effects]


def test_subscribing_alternates_between_effects_and_answers() -> None:
    monitor = Monitor(plain_policy())
    subscription = Subscription(1, 1, b"/d", Scope.DIRECTORY)
    watch, look = monitor.subscribe(subscription, NOW)
    root = monitor.tree.root
    assert watch == Watch(root)
    assert look == Probe(subscription, root, b"d", 0)
    watch, explore = monitor.probed(subscription, root, b"d", True, NOW)
    assert (type(watch), type(explore)) == (Watch, Scan)
    assert isinstance(explore, Scan)
    assert explore.requested_by is subscription
    listing = (explore, [b"sub"], [b"f"], ())
    assert monitor.listed([listing], NOW) == [Ready(subscription)]
    assert as_words(monitor.rows_to_send(subscription, Cursor())) == [
        "exists it/",
        "exists /d/f",
        "exists /d/sub/",
    ]


def test_a_change_becomes_a_delivery() -> None:
    monitor = Monitor(plain_policy())
    subscription = Subscription(1, 1, b"/", Scope.DIRECTORY)
    effects = monitor.subscribe(subscription, NOW)
    explore = next(effect for effect in effects if isinstance(effect, Scan))
    monitor.listed([(explore, (), (), ())], NOW)
    (reported,) = monitor.changed([Change(monitor.tree.root, CREATE, 0, b"f")], NOW)
    assert isinstance(reported, Deliver)
    assert reported.subscriptions == (subscription,)
    assert as_words(reported.rows) == ["created /f"]
    assert not reported.recovered


def test_the_answer_to_an_abandoned_walk_is_ignored() -> None:
    monitor = Monitor(plain_policy())
    subscription = Subscription(1, 1, b"/d/e", Scope.DIRECTORY)
    monitor.subscribe(subscription, NOW)
    monitor.cancel(subscription, NOW)
    root = monitor.tree.root
    assert Ready not in kinds(monitor.probed(subscription, root, b"d", True, NOW))
    assert not any(root.children())


def test_changes_of_a_directory_that_is_no_longer_watched_are_ignored(
    shell: Shell,
) -> None:
    client = shell.v1()
    subscription = client.subscribe(b"/d", Scope.DIRECTORY)
    node = subscription.node
    client.rows()
    client.cancel(subscription)
    shell.do(shell.monitor.changed([Change(node, CREATE, 0, b"x")], shell.now))
    shell.do(shell.monitor.changed([Change(node, IGNORED, 0, b"")], shell.now))
    shell.settle()
    assert client.rows() == []
    assert shell.kernel.watches == 0


def test_at_rest_there_is_no_deadline(shell: Shell) -> None:
    client = shell.view()
    client.subscribe(b"/d", Scope.TREE)
    assert shell.monitor.deadline() is None
    for _ in range(20):
        shell.disk.write(b"/d/f")
        shell.run_once()
    assert shell.monitor.deadline() is not None
    shell.sleep(10)
    assert shell.monitor.deadline() is None


def test_the_subscribers_of_one_tree_share_its_watches(shell: Shell) -> None:
    views = [shell.view() for _ in range(20)]
    watches = set()
    for view in views:
        view.subscribe(b"/d", Scope.TREE)
        watches.add(shell.kernel.watches)
        view.rows()
    assert watches == {3}
    shell.disk.touch(b"/d/sub/new")
    shell.run_once()
    assert all(as_words(view.rows()) == ["created /d/sub/new"] for view in views)


def test_cancelling_one_subscription_disturbs_no_other(shell: Shell) -> None:
    stays, leaves = shell.v1(), shell.v1()
    subscription = stays.subscribe(b"/d", Scope.DIRECTORY)
    other = leaves.subscribe(b"/d", Scope.DIRECTORY)
    stays.rows()
    leaves.cancel(other)
    shell.disk.touch(b"/d/new")
    shell.run_once()
    assert as_words(stays.rows()) == ["created /d/new"]
    stays.cancel(subscription)
    assert shell.kernel.watches == 0
    assert not any(shell.monitor.tree.root.children())


@pytest.mark.parametrize(
    "paths",
    [
        [(b"/d", Scope.FILE), (b"/d", Scope.DIRECTORY)],
        [(b"/d/f", Scope.FILE), (b"/d", Scope.DIRECTORY)],
        [(b"/d", Scope.DIRECTORY), (b"/d/sub", Scope.DIRECTORY)],
        [(b"/d/x/y", Scope.FILE), (b"/d/x", Scope.DIRECTORY), (b"/d", Scope.FILE)],
        [(b"/d", Scope.DIRECTORY)] * 3,
    ],
)
def test_overlapping_subscriptions_are_independent(
    shell: Shell, paths: list[tuple[bytes, Scope]]
) -> None:
    alone = [
        story(shell_with(paths[index : index + 1]))[0] for index in range(len(paths))
    ]
    assert story(shell_with(paths)) == alone


def shell_with(paths: list[tuple[bytes, Scope]]) -> Shell:
    shell = Shell()
    shell.disk.makedirs(b"/d/sub")
    shell.disk.touch(b"/d/f")
    for path, scope in paths:
        shell.v1().subscribe(path, scope)
    return shell


def story(shell: Shell) -> list[list[str]]:
    """What each client receives about the same changes."""
    for act in (
        Act("write", b"/d/f"),
        Act("touch", b"/d/sub/g"),
        Act("makedirs", b"/d/x/y"),
        Act("rename", b"/d/f", b"/d/x/f"),
        Act("rmtree", b"/d"),
        Act("makedirs", b"/d"),
    ):
        act.on(shell)
        shell.settle()
    return [as_words(client.rows()) for client in shell.clients]


def test_a_tree_stops_at_a_mount_point_unless_it_is_to_cross_it(shell: Shell) -> None:
    shell.disk.mount(b"/d/sub")
    shell.disk.touch(b"/d/sub/inside")
    shell.change_policy(plain_policy(mounts=[b"/d/sub"]))
    stays, crosses = shell.view(), shell.view()
    stays.subscribe(b"/d", Scope.TREE)
    crosses.subscribe(b"/d", Scope.TREE, cross_mounts=True)
    assert "exists /d/sub/inside" not in as_words(stays.rows())
    assert "exists /d/sub/inside" in as_words(crosses.rows())


def test_a_tree_that_crosses_mounts_stops_at_those_that_the_kernel_makes_up(
    shell: Shell,
) -> None:
    shell.disk.mount(b"/d/sub")
    shell.disk.touch(b"/d/sub/inside")
    mounts = [Mount(b"/", "ext4"), Mount(b"/d/sub", "proc", id=b"1")]
    shell.change_policy(Policy((), Mounts(mounts)))
    client = shell.view()
    client.subscribe(b"/d", Scope.TREE, cross_mounts=True)
    words = as_words(client.rows())
    assert "exists /d/sub/" in words
    assert "exists /d/sub/inside" not in words


def test_entries_hidden_by_a_mount_are_deleted_from_a_tree_that_ends_there(
    shell: Shell,
) -> None:
    shell.disk.makedirs(b"/d/sub/deep")
    shell.disk.touch(b"/d/sub/deep/hidden")
    client = shell.view()
    subscription = client.subscribe(b"/d", Scope.TREE)
    client.rows()
    shell.disk.mount(b"/d/sub")
    shell.disk.touch(b"/d/sub/of_the_mount")
    shell.change_policy(plain_policy(mounts=[b"/d/sub"]))
    shell.settle()
    assert as_words(client.rows()) == [
        "deleted /d/sub/deep/hidden",
        "deleted /d/sub/deep/",
    ]
    shell.disk.touch(b"/d/sub/another")
    shell.settle()
    assert as_words(client.rows()) == []
    shell.disk.umount(b"/d/sub")
    shell.change_policy(plain_policy())
    shell.settle()
    assert sorted(as_words(client.rows())) == [
        "created /d/sub/deep/",
        "created /d/sub/deep/hidden",
    ]
    assert b"/d/sub/deep/hidden" in truth(shell.disk, subscription)


def test_no_difference_is_known_from_before_a_mount_changed_what_a_tree_covers(
    shell: Shell,
) -> None:
    shell.disk.makedirs(b"/d/sub/deep")
    subscription = shell.view().subscribe(b"/d", Scope.TREE)
    before = shell.monitor.tree.tick
    shell.disk.mount(b"/d/sub")
    shell.change_policy(plain_policy(mounts=[b"/d/sub"]))
    shell.settle()
    mounted = shell.monitor.tree.tick
    assert shell.rows_since(subscription, before) is None
    assert shell.rows_since(subscription, mounted) == []


def test_a_second_mount_on_the_same_point_takes_the_place_of_the_first(
    shell: Shell,
) -> None:
    client = shell.view()
    client.subscribe(b"/d", Scope.TREE, cross_mounts=True)
    shell.disk.mount(b"/d/sub")
    shell.disk.touch(b"/d/sub/first")
    shell.change_policy(plain_policy(mounts=[b"/d/sub"]))
    shell.settle()
    client.rows()
    shell.disk.mount(b"/d/sub")
    shell.disk.touch(b"/d/sub/second")
    shell.change_policy(plain_policy(mounts=[b"/d/sub", b"/d/sub"]))
    shell.settle()
    assert {"deleted /d/sub/first", "created /d/sub/second"} <= set(
        as_words(client.rows())
    )
    shell.disk.umount(b"/d/sub")
    shell.change_policy(plain_policy(mounts=[b"/d/sub"]))
    shell.settle()
    assert {"created /d/sub/first", "deleted /d/sub/second"} <= set(
        as_words(client.rows())
    )


def test_a_file_system_mounted_over_a_directory_takes_its_place(shell: Shell) -> None:
    client: Client = shell.v1()
    subscription = client.subscribe(b"/d", Scope.DIRECTORY)
    client.rows()
    shell.disk.mount(b"/d")
    shell.disk.touch(b"/d/other")
    shell.change_policy(plain_policy(mounts=[b"/d"]))
    shell.settle()
    reported = as_words(client.rows())
    assert {"created /d/other", "deleted /d/f", "deleted /d/sub/"} <= set(reported)
    shell.disk.umount(b"/d")
    shell.change_policy(plain_policy())
    shell.settle()
    assert {"deleted /d/other", "created /d/f"} <= set(as_words(client.rows()))
    assert truth(shell.disk, subscription) == {
        b"": True,
        b"/d/f": False,
        b"/d/sub": True,
    }


def test_after_a_mount_only_paths_that_lead_through_it_are_walked_again(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, start = shell.v1(), PathResolver.start
    client.subscribe(b"/d/f", Scope.FILE)
    through = client.subscribe(b"/d/sub/file", Scope.FILE)
    walked: set[Subscription] = set()

    def noted(resolver: PathResolver, subscription: Subscription) -> None:
        walked.add(subscription)
        start(resolver, subscription)

    monkeypatch.setattr(PathResolver, "start", noted)
    shell.disk.mount(b"/d/sub")
    shell.disk.touch(b"/d/sub/file")
    client.rows()
    shell.change_policy(plain_policy(mounts=[b"/d/sub"]))
    shell.settle()
    assert walked == {through}
    assert client.rows()[0].kind is Kind.CREATED


def test_a_v1_client_that_never_reads_costs_nothing_per_event(shell: Shell) -> None:
    client = shell.v1()
    client.subscribe(b"/d", Scope.DIRECTORY)
    client.reads = False
    for number in range(2000):
        shell.disk.write(b"/d/%d" % (number % 10))
        shell.run_once()
    assert client.outbox.buffered_bytes == 0
    assert client.outbox.backlog == 1


def test_an_overflow_before_anything_is_watched_has_no_effect(shell: Shell) -> None:
    shell.do(shell.monitor.changed([Change(None, OVERFLOW, 0, b"")], shell.now))
    assert shell.calls == 0


def test_a_subscription_is_ready_once(shell: Shell) -> None:
    client = shell.view()
    subscription = client.subscribe(b"/d", Scope.TREE)
    shell.disk.rmtree(b"/d")
    shell.run_once()
    shell.disk.makedirs(b"/d/a/b/c")
    shell.run_once()
    assert client.firsts == [subscription]
