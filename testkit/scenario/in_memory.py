"""Scenarios played with the core alone: a disk, a kernel and clients in memory.

The clients speak the real v1 words; what carries them out is
`testkit.doubles.engine`, so a scenario takes no time, whatever it says of seconds.
"""

from collections.abc import Iterable
from itertools import count

from gamin.config.gaminrc import Rule, parse
from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy
from gamin.core.deliver.outbox import Outbox
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.throttle.listing_hold import HOLD_SECONDS, ListingHold
from gamin.events import (
    AnyRow,
    Row,
)
from gamin.protocol.gam.events import encode_first, encode_rows
from gamin.protocol.gam.packets import EventCode, PacketReader, encode_event
from testkit.doubles.engine import Shell
from testkit.scenario.commands import Command, Scenario
from testkit.scenario.drivers import ReceivedEvent
from testkit.scenario.playing import Play

ROOT = b"/scenario"
BARRIER = 2 * HOLD_SECONDS
TWO_LOOKS = 2.1
"""Seconds until whatever is polled was looked at twice."""


class CoreClient:
    """A client of the core, with the bytes that a socket would carry."""

    def __init__(self, shell: Shell, number: int, pause: float) -> None:
        self._shell = shell
        self._client = number
        self._pause = pause
        monitor = shell.monitor
        self._outbox = Outbox(self._encode, monitor.rows_to_send, monitor.moment)
        self._hold = ListingHold()
        self._reader = PacketReader()
        self._received: list[ReceivedEvent] = []
        self._standing: dict[int, Subscription] = {}
        self._quiet: set[Subscription] = set()
        self._is_quiet = False
        self._numbers = 0

    # -- what a scenario asks of it

    def watch_directory(self, path: bytes) -> int:
        return self._watch(path, Scope.DIRECTORY)

    def watch_file(self, path: bytes) -> int:
        return self._watch(path, Scope.FILE)

    def no_exists(self) -> None:
        self._is_quiet = True

    def cancel(self, number: int) -> None:
        subscription = self._standing.pop(number)
        self._shell.synchronise()
        self._outbox.forget(subscription)
        self._hold.forget(subscription)
        self._shell.end(subscription)
        code = int(EventCode.ACKNOWLEDGE)
        self._outbox.append(encode_event(number, code, subscription.path))
        self.flush()

    def barrier(self) -> list[ReceivedEvent]:
        self._shell.sleep(self._pause)
        self.flush()
        received, self._received = self._received, []
        return received

    def disconnect(self) -> None:
        for number in list(self._standing):
            self.cancel(number)

    def _watch(self, path: bytes, scope: Scope) -> int:
        self._numbers += 1
        subscription = Subscription(
            self._client, self._numbers, path, scope, directory_events_only=True
        )
        self._standing[self._numbers] = subscription
        if self._is_quiet and scope is Scope.DIRECTORY:
            self._quiet.add(subscription)
        self._shell.begin(subscription)
        return self._numbers

    # -- what the core delivers to it

    def deliver(self, subscription: Subscription, rows: Iterable[Row]) -> None:
        self._outbox.deliver(subscription, rows)

    def ready(self, subscription: Subscription) -> None:
        self._outbox.ready(subscription)

    def flush(self) -> None:
        self._outbox.append(self._hold.release(self._shell.now, has_read=True))
        while data := self._outbox.take():
            packets = self._reader.feed(data)
            self._received += [ReceivedEvent(*packet) for packet in packets]

    def _encode(
        self,
        subscription: Subscription,
        rows: Iterable[AnyRow],
        first: bool,
        /,
        *,
        is_last: bool = True,
    ) -> bytes:
        number = subscription.client_key
        assert isinstance(number, int)
        if not first:
            data = encode_rows(number, subscription.path, rows)
            now = self._shell.now
            return self._hold.pass_on(subscription, data, now, has_read=True)
        quiet = subscription in self._quiet
        if is_last and not quiet:
            self._hold.listed(self._shell.now)
        return encode_first(number, subscription.path, rows, quiet, is_last=is_last)


class CoreDriver:
    """Clients of a core with a kernel in memory; `rules` are lines of a gaminrc."""

    def __init__(self, rules: Iterable[str] = ()) -> None:
        text = "\n".join(rules).encode()
        self._rules = [r for r in parse(text, ROOT) if isinstance(r, Rule)]
        self._mounts: list[Mount] = []
        self._mount_ids = count(1)
        self._pause = TWO_LOOKS if text else BARRIER
        self.shell = Shell(self._policy())
        self.shell.disk.mkdir(ROOT)

    def client(self, name: str) -> CoreClient:
        client = CoreClient(self.shell, len(self.shell.listeners), self._pause)
        self.shell.listeners.append(client)
        return client

    def close(self) -> None:
        """There is nothing to close."""

    def do(self, command: Command) -> None:
        """What happens on the disk."""
        paths = [ROOT + b"/" + word for word in command.words]
        if command.verb in ("mount", "bind", "umount"):
            self._mount(command.verb, paths)
        else:
            self._act(command, paths)

    def _act(self, command: Command, paths: list[bytes]) -> None:
        disk = self.shell.disk
        match command.verb, command.flag, command.words:
            case "mkdir" | "touch" | "rm" | "mkfifo" as verb, flag, _:
                for path in paths:
                    self._one(verb, flag, path)
            case "write", _, (_, text):
                disk.write(paths[0], text=bool(text))
            case "append", _, (_, *texts):
                for _text in texts:
                    disk.write(paths[0], truncate=False)
            case "truncate", _, _:
                disk.write(paths[0], text=False)
            case "open", _, _:
                disk.close(paths[0])
            case "read" | "list", _, _:
                disk.inode(paths[0], follow=True)
            case "chmod", _, (mode, _):
                disk.chmod(paths[1], int(mode, 8))
            case "utime", _, _:
                disk.utime(paths[0])
            case "rmdir", _, _:
                disk.rmdir(paths[0])
            case "mv", _, _:
                disk.rename(*paths)
            case "ln", b"-s", (target, _):
                disk.symlink(target, paths[1])
            case "ln", _, _:
                disk.link(*paths)
            case _:
                raise AssertionError(f"not a command for the disk: {command}")

    def _one(self, verb: str, flag: bytes, path: bytes) -> None:
        disk = self.shell.disk
        match verb, flag:
            case "mkdir", b"-p":
                disk.makedirs(path)
            case "mkdir", _:
                disk.mkdir(path)
            case "touch", _:
                disk.touch(path)
            case "rm", b"-r":
                disk.rmtree(path)
            case "rm", _:
                disk.unlink(path)
            case "mkfifo", _:
                disk.mkfifo(path)

    def _mount(self, verb: str, paths: list[bytes]) -> None:
        disk = self.shell.disk
        match verb:
            case "mount":
                disk.mount(paths[0])
                self._add_mount(paths[0], "ramfs")
            case "bind":
                disk.bind(*paths)
                self._add_mount(paths[1], "ext4")
            case _:
                disk.umount(paths[0])
                top = [m for m in self._mounts if m.point == paths[0]][-1]
                self._mounts.remove(top)
        self.shell.change_policy(self._policy())

    def _add_mount(self, point: bytes, type_: str) -> None:
        self._mounts.append(Mount(point, type_, id=b"%d" % next(self._mount_ids)))

    def _policy(self) -> Policy:
        return Policy(self._rules, Mounts([Mount(b"/", "ext4"), *self._mounts]))


def play_in_memory(scenario: Scenario) -> None:
    """Raises AssertionError where the events are not those that are expected."""
    driver = CoreDriver(scenario.gaminrc)
    Play(driver, driver.do, ROOT, frozenset()).perform(scenario)
