"""Connections to NATS, and the streams and buckets that publishers share.

A connection is not mended by the library: what it would send again after a loss could
overtake what was lost. Its end is an error, and its owner makes the next one.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from gamin.errors import GaminError
from gamin.fleet.message import PREFIX
from gamin.fleet.settings import Servers

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext
    from nats.js.kv import KeyValue

CONNECT_SECONDS = 5.0
TOO_MANY_CONNECTIONS = "maximum connections exceeded"
"""What a server answers that has no room now."""
_CREDENTIALS = ("NATS USER JWT", "USER NKEY SEED")
PUBLISHERS = "gamin-publishers"
"""The bucket in which publishers announce themselves."""
POSITIONS = "gamin-positions"
"""The bucket with the clock up to which each tree is in the stream."""
ANNOUNCED_SECONDS = 60.0
"""How long an announcement lasts."""


class FleetError(GaminError):
    """NATS cannot be reached, or refuses what is asked."""


class Unreachable(FleetError):
    """No NATS server answers. One may later."""


class NotInstalled(FleetError):
    """The client library of NATS is missing, or what it signs with."""

    def __str__(self) -> str:
        return f"{self.args[0]} is not installed: pip install 'gamin[fleet]'"


def load_library() -> Any:
    """The module `nats`. Raises NotInstalled."""
    try:
        import nats
    except ImportError as error:
        raise NotInstalled("nats-py") from error
    return nats


class Connection:
    """A connection to NATS that is not made again when it is lost."""

    def __init__(self, client: "Client", lost: asyncio.Event) -> None:
        self.client = client
        self._lost = lost

    async def until_lost(self) -> None:
        """Raises FleetError when the connection is lost."""
        await self._lost.wait()
        raise FleetError("the connection to NATS was lost")


@contextlib.asynccontextmanager
async def connected(servers: Servers) -> AsyncIterator[Connection]:
    """A connection, until the end of the block or its loss. Raises FleetError."""
    nats = load_library()
    lost = asyncio.Event()

    async def on_lost() -> None:
        lost.set()

    errors: list[Exception] = []

    async def remember(error: Exception) -> None:
        """The library would print it."""
        errors.append(error)

    options: dict[str, Any] = {}
    if servers.credentials:
        _check_credentials(servers.credentials)
        options["user_credentials"] = servers.credentials
    if servers.tls_ca or servers.tls_cert:
        options["tls"] = _tls(servers)
    client = nats.NATS()
    try:
        await client.connect(
            servers=list(servers.urls),
            allow_reconnect=False,
            connect_timeout=CONNECT_SECONDS,
            max_reconnect_attempts=1,  # counts for the first connection too
            reconnect_time_wait=0.05,
            error_cb=remember,
            disconnected_cb=on_lost,
            closed_cb=on_lost,
            name="gamin",
            **options,
        )
    except (OSError, ValueError, nats.errors.Error) as error:
        await _close(client)  # it may have left a socket
        raise _not_connected(servers, [error, *errors]) from error
    try:
        yield Connection(client, lost)
    finally:
        await _close(client)


def _not_connected(servers: Servers, errors: list[Exception]) -> FleetError:
    """The error to raise; `errors` are those of all servers, and never none.

    A server that refuses the connection is named rather than one that is not there.
    """
    refusals = [error for error in errors if not _may_come(error)]
    cause = (refusals or errors)[-1]
    kind = FleetError if refusals else Unreachable
    reason = str(cause) or type(cause).__name__
    return kind(f"{', '.join(servers.urls)} cannot be reached: {reason}")


def _may_come(error: Exception) -> bool:
    """Whether an attempt to connect may succeed later though nothing is changed here.

    An OSError is that of a socket, a name that is not resolved or a time-out: the
    server, the network or the resolver may still be starting.
    """
    from nats import errors

    if isinstance(error, ssl.SSLError):
        return False
    if isinstance(error, errors.Error):
        absences = (
            errors.ConnectionClosedError,
            errors.NoServersError,
            errors.StaleConnectionError,
            errors.TimeoutError,
        )
        return isinstance(error, absences) or TOO_MANY_CONNECTIONS in str(error)
    return isinstance(error, OSError)


async def _close(client: "Client") -> None:
    with contextlib.suppress(Exception):
        async with asyncio.timeout(CONNECT_SECONDS):
            await client.close()


def _check_credentials(path: str) -> None:
    """Raises FleetError; the library would raise whatever its parser stumbles over."""
    try:
        with open(path, encoding="ascii") as file:
            text = file.read()
    except OSError as error:
        raise FleetError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        text = ""
    if not all(f"-----BEGIN {part}-----\n" in text for part in _CREDENTIALS):
        raise FleetError(f"{path} is no credentials file as nsc makes it")
    if find_spec("nkeys") is None:
        raise NotInstalled("nkeys")


def _tls(servers: Servers) -> ssl.SSLContext:
    """Raises FleetError."""
    what = servers.tls_ca
    try:
        context = ssl.create_default_context(cafile=servers.tls_ca or None)
        if servers.tls_cert:
            what = servers.tls_cert
            context.load_cert_chain(servers.tls_cert, servers.tls_key or None)
    except OSError as error:  # ssl.SSLError is one
        raise FleetError(f"{what}: {error.strerror or error}") from error
    return context


def jetstream(client: "Client") -> "JetStreamContext":
    return client.jetstream()


async def ensure_stream(context: "JetStreamContext", name: str) -> None:
    """Make the stream if there is none. Raises FleetError.

    One that exists stays as its owner made it. A new one keeps everything on disk until
    somebody sets limits.
    """
    from nats.js.errors import NotFoundError

    with as_fleet_error(f"stream {name}"):
        try:
            await context.stream_info(name)
        except NotFoundError:
            await context.add_stream(name=name, subjects=[f"{PREFIX}.>"])


async def bucket(
    context: "JetStreamContext", name: str, ttl: float | None = None
) -> "KeyValue":
    """A key-value bucket, made if there is none. Raises FleetError."""
    from nats.js.errors import BucketNotFoundError

    with as_fleet_error(f"bucket {name}"):
        try:
            return await context.key_value(name)
        except BucketNotFoundError:
            return await context.create_key_value(bucket=name, ttl=ttl)


@contextlib.contextmanager
def as_fleet_error(what: str) -> Iterator[None]:
    """Raises as FleetError what NATS raises in the block; `what` begins the text."""
    from nats.errors import Error

    try:
        yield
    except (Error, TimeoutError, OSError) as error:
        reason = getattr(error, "description", None) or str(error)
        raise FleetError(f"{what}: {reason or type(error).__name__}") from error
