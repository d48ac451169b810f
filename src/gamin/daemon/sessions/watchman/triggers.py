"""Triggers: commands that run when files of a root change.

A trigger subscribes to its root as a client does, but runs only when the root is quiet
and no version control system is at work: what changed until then is one run. While its
command runs it is blocked, so what happens meanwhile is one difference afterwards, once
the root is quiet again: one process per trigger.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gamin.daemon.io import child
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman.delivery import Delivery, FileRows
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.states import StateChange
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.paths import printable
from gamin.protocol.watchman import replies
from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.clocks import Clock
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.names import to_bytes
from gamin.protocol.watchman.trigger import NAME_PER_LINE, OutputFile, Trigger

logger: logging.Logger = logging.getLogger(__name__)

Request = ask.DefineTrigger | ask.DeleteTrigger | ask.ListTriggers

MAX_ARGUMENT_BYTES = 1 << 20
"""Bytes of the names that become arguments; the kernel takes at least twice as many."""


class RunningTrigger:
    """A `Sink` that runs a command for what is delivered."""

    codec: Codec | None = None

    def __init__(
        self,
        trigger: Trigger,
        root: Root,
        loop: Loop,
        sockname: bytes,
        forget: Callable[["RunningTrigger"], None],
    ) -> None:
        """`forget` is called when the root has it no more."""
        self.trigger = trigger
        self.root = root
        self.subscriber: Subscriber | None = None
        self._loop = loop
        self._sockname = sockname
        self._forget = forget
        self._pid: int | None = None

    @property
    def is_blocked(self) -> bool:
        return self._pid is not None

    def deliver(self, delivery: Delivery) -> None:
        if delivery.rows.is_empty:
            return
        assert isinstance(delivery.rows, FileRows)  # its query has fields of files
        program = self._program(delivery, delivery.rows)
        try:
            self._pid = child.start(program, self._loop, self._ended)
        except OSError as error:
            logger.warning("%s cannot be run: %s", self, error.strerror)
            return
        # In Watchman's words, which its users search for in the log.
        root, name = printable(self.root.path), printable(self.trigger.name)
        logger.debug("%s: posix_spawnp: %s pid=%d", root, name, self._pid)

    def _ended(self, status: int) -> None:
        self._pid = None
        if status:
            logger.info("%s ended with status %d", self, status)
        subscriber = self.subscriber
        if subscriber is not None and subscriber.cursor.is_behind:
            self.root.catch_up(subscriber)

    def state_changed(self, root: bytes, clock: Clock, change: StateChange) -> None:
        """Triggers run whatever is asserted."""

    def canceled(self, root: bytes) -> None:
        """Nobody waits for an answer."""

    def removed(self) -> None:
        self.subscriber = None
        self._forget(self)

    def flush(self) -> None:
        """Nothing to send: a delivery runs the command at once."""

    def __str__(self) -> str:
        name = printable(self.trigger.name)
        return f"trigger {name} of {printable(self.root.path)}"

    # -- the command

    def _program(self, delivery: Delivery, rows: FileRows) -> child.Program:
        trigger = self.trigger
        inner = trigger.query.relative_root
        place = os.path.join(self.root.path, inner) if inner else self.root.path
        command, is_cut = list(trigger.command), False
        if trigger.append_files:
            names = _names_that_fit(rows, MAX_ARGUMENT_BYTES)
            is_cut = len(names) < len(rows.rows)
            command += names
        most = trigger.max_files_stdin
        if most is not None and most < len(rows.rows):
            rows, is_cut = rows.first(most), True
        environment = {
            "WATCHMAN_ROOT": self.root.path,
            "WATCHMAN_SOCK": self._sockname,
            "WATCHMAN_TRIGGER": to_bytes(trigger.name).replace(b"\0", b"?"),
            "WATCHMAN_CLOCK": str(delivery.clock).encode(),
        }
        if delivery.since is not None:
            environment["WATCHMAN_SINCE"] = str(delivery.since).encode()
        if inner:
            environment["WATCHMAN_RELATIVE_ROOT"] = place
        if is_cut:
            environment["WATCHMAN_FILES_OVERFLOW"] = b"true"
        return child.Program(
            command,
            os.path.join(place, trigger.chdir) if trigger.chdir else place,
            environment,
            self._input(rows),
            [
                child.Redirection(number, file.path, file.is_appended)
                for number, file in _outputs(trigger)
            ],
        )

    def _input(self, rows: FileRows) -> bytes | None:
        stdin = self.trigger.stdin
        if stdin == NAME_PER_LINE:
            return b"".join(row.name + b"\n" for row in rows.rows)
        return None if stdin else rows.encoded(JSON) + b"\n"


def _outputs(trigger: Trigger) -> list[tuple[int, OutputFile]]:
    streams = ((1, trigger.stdout), (2, trigger.stderr))
    return [(number, file) for number, file in streams if file is not None]


def _names_that_fit(rows: FileRows, most: int) -> Sequence[bytes]:
    names: list[bytes] = []
    for row in rows.rows:
        most -= len(row.name) + 1
        if most < 0:
            break
        names.append(row.name)
    return names


class Triggers:
    """All triggers, by root and name."""

    def __init__(
        self, loop: Loop, sockname: Callable[[], bytes], most: Callable[[], int]
    ) -> None:
        """`sockname` returns where the server can be reached, `most` how many triggers
        it may have."""
        self._loop = loop
        self._sockname = sockname
        self._most = most
        self._by_root: dict[Root, dict[str, RunningTrigger]] = {}
        self.on_changed: Callable[[], None] = lambda: None
        """Called when there are others than before."""

    def definitions(self, root: Root) -> list[dict[str, Any]]:
        """The triggers of a root, as clients defined them."""
        mine = self._of(root).values()
        return [dict(each.trigger.definition) for each in mine]

    def carry_out(self, request: Request, root: Root) -> replies.Reply:
        """Raises BadRequest."""
        match request:
            case ask.DefineTrigger():
                disposition = self.define(root, request.trigger)
                return replies.trigger(request.trigger.name, disposition)
            case ask.DeleteTrigger():
                deleted = self._delete(root, request.name)
                return replies.trigger_del(request.name, deleted=deleted)
        return replies.trigger_list(self.definitions(root))

    def define(self, root: Root, trigger: Trigger) -> str:
        """As `_define`, and have it saved."""
        disposition = self._define(root, trigger)
        self.on_changed()
        return disposition

    def _define(self, root: Root, trigger: Trigger) -> str:
        """Add a trigger, which then runs for all that it matches; return what came of
        it, in the words of Watchman. Raises BadRequest past the greatest number."""
        known = self._of(root).get(trigger.name)
        if known is not None and known.trigger.definition == trigger.definition:
            return "already_defined"
        if trigger.query.wants_hashes:
            raise BadRequest("the field content.sha1hex cannot be given to a trigger")
        if known is None and sum(map(len, self._by_root.values())) >= self._most():
            raise BadRequest(f"a server has no more than {self._most()} triggers")
        if known is not None:
            self._remove(known)
        running = RunningTrigger(
            trigger, root, self._loop, self._sockname(), self._forget
        )
        query = trigger.query.sharing_key()
        running.subscriber = Subscriber(
            *(running, query, root.cursor(None)),
            defer_vcs=True,
            is_settled_only=True,
        )
        self._by_root.setdefault(root, {})[trigger.name] = running
        root.add(running.subscriber)
        root.deliver_all(running.subscriber)
        return "created" if known is None else "replaced"

    def _delete(self, root: Root, name: str) -> bool:
        """Whether there was one. Its command, if it runs, is left to its end."""
        known = self._of(root).get(name)
        if known is not None:
            self._remove(known)
        return known is not None

    def _of(self, root: Root) -> Mapping[str, RunningTrigger]:
        """The triggers of a root."""
        return self._by_root.get(root, {})

    def _remove(self, running: RunningTrigger) -> None:
        if running.subscriber is not None:
            running.root.remove(running.subscriber)

    def _forget(self, running: RunningTrigger) -> None:
        """The root has it no more."""
        mine = self._by_root[running.root]
        del mine[running.trigger.name]
        if not mine:
            del self._by_root[running.root]
        self.on_changed()
