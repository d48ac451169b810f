"""Publishes the trees of one settings file: one connection, and a task for each tree.

A connection that fails ends all of them. They begin again on the next one, each from
its position (`gamin.fleet.tree_publisher`).
"""

import asyncio
import json
import logging
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import gamin
from gamin.fleet import connection as nats
from gamin.fleet.connection import FleetError
from gamin.fleet.settings import Publication
from gamin.fleet.tree_publisher import TreePublisher, TreeRefused

if TYPE_CHECKING:
    from nats.js.kv import KeyValue

logger: logging.Logger = logging.getLogger(__name__)

ANNOUNCE_SECONDS = 5.0
"""Between two announcements."""
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.2, 4.0
"""Between two attempts to reach NATS: the first pause, and the longest."""
MAX_REASONS = 8
"""So many different errors are remembered, so that each is logged once."""


class Publisher:
    """Publishes until `stop` is set. Made once; `run` may wait for NATS for ever."""

    def __init__(
        self,
        publication: Publication,
        stop: asyncio.Event,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._publication = publication
        self._stop = stop
        self._now = now
        self._pause = FIRST_PAUSE_SECONDS
        self._logged: deque[str] = deque(maxlen=MAX_REASONS)
        """Errors that were logged since something got through."""
        self._is_waiting = False
        """NATS could not be reached at the last attempt."""
        self._trees = [
            TreePublisher(publication, tree, stop, now, self._on_acknowledged)
            for tree in publication.trees
        ]

    def _on_acknowledged(self) -> None:
        """Something got through, so the next failure is a new one."""
        self._pause = FIRST_PAUSE_SECONDS
        self._logged.clear()

    async def run(self) -> None:
        """Publish. What goes wrong is logged and tried again, in growing pauses.

        A NATS server that is not there yet is waited for. Raises FleetError if the
        first one that answers refuses the connection; TreeRefused; and NotInstalled.
        """
        was_connected = False
        while not self._stop.is_set():
            try:
                async with nats.connected(self._publication.servers) as connection:
                    was_connected = True
                    self._on_connected()
                    await self._publish(connection)
                    return
            except* FleetError as group:
                error = _first(group)
                self._is_waiting = isinstance(error, nats.Unreachable)
                if isinstance(error, (nats.NotInstalled, TreeRefused)) or not (
                    was_connected or self._is_waiting
                ):
                    raise error from None
                self._log(str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._pause)
            self._pause = min(2 * self._pause, MAX_PAUSE_SECONDS)

    def _on_connected(self) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._logged.clear()
            logger.info("connected to NATS")

    def _log(self, reason: str) -> None:
        """Log it once, however often it is tried again in vain."""
        if reason not in self._logged:
            self._logged.append(reason)
            logger.warning(
                "%s; trying again until it works, at least every %.0f s",
                reason,
                MAX_PAUSE_SECONDS,
            )

    async def _publish(self, connection: nats.Connection) -> None:
        """Until `stop` is set. Raises FleetError, in a group."""
        client = connection.client
        context = nats.jetstream(client)
        await nats.ensure_stream(context, self._publication.stream)
        positions = await nats.bucket(context, nats.POSITIONS)
        announced = await nats.bucket(
            context, nats.PUBLISHERS, ttl=nats.ANNOUNCED_SECONDS
        )
        async with asyncio.TaskGroup() as group:
            others = [
                group.create_task(self._announce(announced)),
                group.create_task(connection.until_lost()),
            ]
            sending = [
                group.create_task(tree.publish(client, context, positions))
                for tree in self._trees
            ]
            await asyncio.wait(sending)
            for task in others:
                task.cancel()

    async def _announce(self, announced: "KeyValue") -> None:
        publication = self._publication
        # A host may have several publishers.
        key = f"{publication.host}.{publication.stream}.{os.getpid()}"
        while True:
            about = {
                "host": publication.host,
                "stream": publication.stream,
                "pid": os.getpid(),
                "version": gamin.__version__,
                "time": self._now().isoformat(),
                "trees": {tree.tree.name: tree.summary() for tree in self._trees},
            }
            with nats.as_fleet_error("announcement"):
                await announced.put(key, json.dumps(about).encode())
            await asyncio.sleep(ANNOUNCE_SECONDS)


def _first(group: BaseExceptionGroup[FleetError]) -> FleetError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, FleetError)
    return error
