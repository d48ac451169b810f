"""The configuration is read again when it changes, and kept while it cannot be read."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gamin.backends.polling import PollingBackend
from gamin.config import loader
from gamin.config.client_limits import ClientLimits
from gamin.config.mounts import Mounts
from gamin.config.state_settings import StateSettings
from gamin.core.effects import Deliver
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.drive import Drive
from gamin.daemon.io.loop import Loop
from gamin.daemon.process import config_watch
from gamin.daemon.process.config_watch import Settings, make_policy
from gamin.daemon.process.inherited import OWN_DESCRIPTORS
from gamin.daemon.sessions.hub import Service
from testkit.descriptors import no_free_descriptor
from testkit.waiting import eventually


class Followed:
    """The session that follows the configuration, in a service without clients."""

    def __init__(self, loop: Loop, *, is_poll_only: bool = False) -> None:
        self.loop = loop
        configuration = loader.read()
        policy = make_policy(configuration, Mounts(), is_poll_only)
        self.monitor = Monitor(policy, configuration.flow)
        service = Service(self.monitor, loop, lambda connection: None, b"/")
        self.service = service
        service.drive = Drive(self.monitor, None, PollingBackend(), service, loop)
        self.settings = Settings(
            service, configuration, Mounts(), is_poll_only=is_poll_only, retry_seconds=0
        )

    @property
    def calm_seconds(self) -> float:
        """A setting of the files that is in force."""
        return self.monitor.flow.settings.calm_seconds

    @property
    def mount_points(self) -> frozenset[bytes]:
        """The mounts that the policy in force knows."""
        return self.monitor.coverage.method.policy.mount_points()

    def report_change(self) -> None:
        """The core reports that a file has changed, and a round of the loop ends."""
        subscription = Subscription(self.settings, 0, b"/x", Scope.FILE)
        self.settings.deliver(subscription, Deliver((subscription,), [], False))
        self.settings.flush()

    def run_until(self, condition: Callable[[], bool]) -> None:
        def is_true() -> bool:
            self.loop.run_once(0)
            return condition()

        eventually(is_true)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own file, which asks for 9 calm seconds."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / ".gaminrc"
    path.write_text("flow calm_seconds 9\n")
    return path


@contextmanager
def following() -> Iterator[Followed]:
    loop = Loop()
    followed = Followed(loop)
    try:
        yield followed
    finally:
        followed.settings.stop(loop)
        loop.close()


def test_a_file_is_read_again_after_a_change_is_reported(file: Path) -> None:
    with following() as followed:
        assert followed.calm_seconds == 9
        file.write_text("flow calm_seconds 8\n")
        followed.settings.flush()  # nothing is reported yet
        assert followed.calm_seconds == 9
        followed.report_change()
        assert followed.calm_seconds == 8


def test_a_file_that_is_gone_is_followed_no_more(file: Path) -> None:
    with following() as followed:
        default = followed.monitor.flow.settings._field_defaults["calm_seconds"]
        file.unlink()
        followed.report_change()
        assert followed.calm_seconds == default != 9


def test_the_rules_stay_in_force_while_no_descriptor_is_left_and_change_later(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with following() as followed:
        file.write_text("flow calm_seconds 8\n")
        with no_free_descriptor():
            followed.report_change()
            followed.loop.run_once(0)  # an attempt that fails, too
            followed.loop.run_once(0)
            assert followed.calm_seconds == 9
        followed.run_until(lambda: followed.calm_seconds == 8)
    assert caplog.messages == ["configuration not read yet: Too many open files"]


def test_a_change_reported_during_the_retries_begins_no_second_row_of_them(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with following() as followed:
        with no_free_descriptor():
            followed.report_change()
            followed.report_change()
        file.write_text("flow calm_seconds 8\nnonsense\n")
        followed.run_until(lambda: followed.calm_seconds == 8)
        caplog.clear()
        followed.loop.run_once(0)
        assert caplog.messages == []  # nothing is read once more


def test_mistakes_are_logged_each_time_that_the_files_are_read(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with following() as followed:
        file.write_text("nonsense\n")
        followed.report_change()
    assert caplog.messages == [f"{file}:1: not understood: nonsense"]


def test_the_mounts_are_followed_once_there_is_a_descriptor(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with following() as followed:
        with no_free_descriptor():
            followed.settings.start(followed.loop)
        assert not followed.mount_points
        followed.run_until(lambda: b"/proc" in followed.mount_points)
    assert caplog.messages == [
        "mounts are not followed: [Errno 24] Too many open files: "
        "'/proc/self/mountinfo'"
    ]


def test_the_three_files_are_subscribed_to(file: Path) -> None:
    with following() as followed:
        followed.settings.start(followed.loop)
        paths = {each.path for each in followed.monitor.subscriptions}
        assert paths == set(map(os.fsencode, loader.files(str(file.parent))))


def test_limits_of_clients_hold_as_soon_as_they_are_written(file: Path) -> None:
    with following() as followed:
        file.write_text("limit subscriptions 7\nlimit held_bytes 5000000\n")
        followed.report_change()
        assert followed.service.limits == ClientLimits(
            subscriptions=7, held_bytes=5_000_000
        )
        assert followed.service.accounts.max_held_bytes == 5_000_000


def test_what_is_kept_across_restarts_holds_as_soon_as_it_is_written(
    file: Path,
) -> None:
    with following() as followed:
        file.write_text("state servers 2\n")
        followed.report_change()
        assert followed.service.state == StateSettings(servers=2)


def test_more_connections_take_more_descriptors(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[int] = []
    monkeypatch.setattr(config_watch, "allow_descriptors", wanted.append)
    with following() as followed:
        file.write_text("limit connections 16\n")
        followed.report_change()
        assert not wanted
        file.write_text("limit connections 5000\n")
        followed.report_change()
        assert wanted == [5000 + OWN_DESCRIPTORS]
