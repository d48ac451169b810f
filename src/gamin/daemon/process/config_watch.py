"""Follows the configuration: three files and the mounts, read again on a change.

The files are watched like any client's, with subscriptions to the core.
"""

import logging
import os
import time
from functools import partial

from gamin.config import loader
from gamin.config.mounts import AUTOMOUNT, Mounts
from gamin.config.policy import Policy
from gamin.core.effects import Deliver, Trace
from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.io.loop import Callback, Loop, Timer
from gamin.daemon.process.inherited import OWN_DESCRIPTORS, allow_descriptors
from gamin.daemon.sessions.hub import Service
from gamin.system import reach
from gamin.system.errands import Distant, Errand
from gamin.system.mountinfo import MountWatcher

logger: logging.Logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""Seconds between two attempts to read while no descriptor or no memory is left."""


class Settings:
    """A session without a client: it reads the files again when they change."""

    def __init__(
        self,
        service: Service,
        configuration: loader.Configuration,
        mounts: Mounts,
        *,
        is_poll_only: bool,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """`configuration` and `mounts` are those of the policy that is in force."""
        self._service = service
        service.join(self)
        self._is_poll_only = is_poll_only
        self._retry_seconds = retry_seconds
        self._configuration = configuration
        self._mounts = mounts
        self._watcher: MountWatcher | None = None
        self._are_files_changed = False
        self._retry: Timer | None = None
        """Due when the files are read again after an attempt that failed."""
        self._retry_mounts: Timer | None = None
        """The same for the mounts."""

    def __str__(self) -> str:
        return "configuration"

    def _log_mistakes(self) -> None:
        """Log what in the files is not followed."""
        for mistake in self._configuration.mistakes:
            logger.warning("%s", mistake)

    def start(self, loop: Loop) -> None:
        """Start to follow; the service must be able to carry out effects."""
        self._log_mistakes()
        if self._configuration.is_partial:
            self._reread()
        home = loader.home_directory()
        for number, file in enumerate(loader.files(home)):
            path = os.fsencode(file)
            self._service.subscribe(
                Subscription(self, number, path, Scope.FILE, directory_events_only=True)
            )
        self._follow_mounts()

    def stop(self, loop: Loop) -> None:
        for timer in (self._retry, self._retry_mounts):
            if timer is not None:
                timer.cancel()
        if self._watcher is not None:
            loop.remove_reader(self._watcher.fileno())
            self._watcher.close()

    # -- the mounts

    def _follow_mounts(self) -> None:
        self._retry_mounts = None
        try:
            self._watcher = MountWatcher()
        except OSError as error:
            logger.warning("mounts are not followed: %s", error)
            if error.errno in loader.EXHAUSTED:
                self._retry_mounts = self._later(self._follow_mounts)
            return
        self._service.loop.add_reader(self._watcher.fileno(), self._remounted)
        self._remounted()

    def _remounted(self) -> None:
        assert self._watcher is not None
        if self._retry_mounts is not None:
            self._retry_mounts.cancel()
            self._retry_mounts = None
        try:
            mounts = loader.mounts_from(self._watcher.read())
        except OSError as error:
            logger.warning("mounts not read: %s", error.strerror)
            self._retry_mounts = self._later(self._remounted)
            return
        if set(mounts) != set(self._mounts):
            self._mounts = mounts
            know_distant(mounts)
            self._apply()

    # -- the files

    def _reread(self) -> None:
        """Read the files; the former configuration stays in force until that
        succeeds."""
        is_first = self._retry is None
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        try:
            self._configuration = loader.read()
        except Distant as distant:
            errand = Errand(distant.point, loader.read)
            have_read = partial(self._have_read, errand)
            self._service.errands.start(errand, have_read, None)
            return
        except OSError as error:
            if is_first:
                logger.warning("configuration not read yet: %s", error.strerror)
            self._retry = self._later(self._reread)
            return
        self._follow_configuration()

    def _have_read(self, errand: Errand[loader.Configuration]) -> None:
        """A thread has read the files, on a mount that may not answer."""
        try:
            self._configuration = errand.result()
        except OSError:
            self._retry = self._later(self._reread)
        else:
            self._follow_configuration()

    def _follow_configuration(self) -> None:
        self._log_mistakes()
        logger.info("configuration read again")
        self._apply()

    def _apply(self) -> None:
        policy = make_policy(self._configuration, self._mounts, self._is_poll_only)
        service = self._service
        service.monitor.flow.use(self._configuration.flow)
        limit(service, self._configuration)
        service.drive.do(service.monitor.policy_changed(policy, time.monotonic()))
        service.flush()

    def _later(self, call: Callback) -> Timer:
        return self._service.loop.call_later(self._retry_seconds, call)

    # -- from the core

    def deliver(self, subscription: Subscription, effect: Deliver) -> None:
        self._are_files_changed = True

    def ready(self, subscription: Subscription) -> None:
        """Its files were read already."""

    def note(self, effect: Trace) -> None:
        """Debug events are for clients; nothing to do."""

    def flush(self) -> None:
        """The round is over: read the files again if a change of them was reported."""
        if self._are_files_changed:
            self._are_files_changed = False
            self._reread()


def know_distant(mounts: Mounts) -> None:
    """Nobody looks at these mounts from the loop's thread from now on."""
    reach.use({m.point: m.type == AUTOMOUNT for m in mounts.distant()})


def limit(service: Service, configured: loader.Configuration) -> None:
    """What the files say of limits, and of what is kept, holds from now on."""
    service.state = configured.state
    limits = configured.limits
    if limits.connections > service.limits.connections:
        allow_descriptors(limits.connections + OWN_DESCRIPTORS)
    service.limit(limits)


def make_policy(
    configured: loader.Configuration, mounts: Mounts, is_poll_only: bool
) -> Policy:
    return Policy(configured.rules, mounts, is_poll_only)
