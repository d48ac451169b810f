"""Follows the configuration: three files and the mounts, read again on a change.

The files are watched like any client's, with subscriptions to the core.
"""

import logging
import os
import time

from gamin.config import loader
from gamin.config.mounts import Mounts
from gamin.config.policy import Policy
from gamin.core.effects import Deliver, Trace
from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.hub import Service
from gamin.system.mountinfo import MountWatcher

logger = logging.getLogger(__name__)


class Settings:
    """A session without a client: it reads the files again when they change."""

    def __init__(self, service: Service, *, is_poll_only: bool) -> None:
        self._service = service
        service.join(self)
        self._is_poll_only = is_poll_only
        self._configuration = loader.read()
        self._mounts = loader.read_mounts()
        self._watcher: MountWatcher | None = None
        self._is_changed = False

    def __str__(self) -> str:
        return "configuration"

    def _log_mistakes(self) -> None:
        """Say what in the files is not followed."""
        for mistake in self._configuration.mistakes:
            logger.warning("%s", mistake)

    def start(self, loop: Loop) -> None:
        """Begin to follow; the service can carry effects out by now."""
        self._log_mistakes()
        home = loader.home_directory()
        for number, file in enumerate(loader.files(home)):
            path = os.fsencode(file)
            self._service.subscribe(
                Subscription(self, number, path, Scope.FILE, directory_events_only=True)
            )
        try:
            self._watcher = MountWatcher()
        except OSError as error:
            logger.warning("mounts are not followed: %s", error)
            return
        loop.add_reader(self._watcher.fileno(), self._remounted)
        self._remounted()

    def stop(self, loop: Loop) -> None:
        if self._watcher is not None:
            loop.remove_reader(self._watcher.fileno())
            self._watcher.close()

    def _remounted(self) -> None:
        assert self._watcher is not None
        mounts = loader.mounts_from(self._watcher.read())
        if set(mounts) != set(self._mounts):
            self._mounts = mounts
            self._apply()

    def _apply(self) -> None:
        policy = make_policy(self._configuration, self._mounts, self._is_poll_only)
        service = self._service
        service.monitor.flow.use(self._configuration.flow)
        service.drive.do(service.monitor.policy_changed(policy, time.monotonic()))
        service.flush()

    # -- from the core

    def deliver(self, subscription: Subscription, effect: Deliver) -> None:
        self._is_changed = True

    def ready(self, subscription: Subscription) -> None:
        """Its files were read already."""

    def note(self, effect: Trace) -> None:
        """Nothing to do for those who only read files."""

    def flush(self) -> None:
        """The round is over: read again what was told to be different."""
        if self._is_changed:
            self._is_changed = False
            self._configuration = loader.read()
            self._log_mistakes()
            logger.info("configuration read again")
            self._apply()


def make_policy(
    configured: loader.Configuration, mounts: Mounts, is_poll_only: bool
) -> Policy:
    return Policy(configured.rules, mounts, is_poll_only)
