"""Connections: what is raised when there is none, and when one ends."""

import asyncio
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from nats import errors

from gamin.fleet.connection import (
    Connection,
    FleetError,
    NotInstalled,
    Unreachable,
    _not_connected,
    bucket,
    connected,
    ensure_stream,
    load_library,
)
from gamin.fleet.settings import Servers


async def connect(url: str) -> None:
    async with connected(Servers((url,))):
        pytest.fail("nobody listens there")


def test_a_server_that_is_not_there_is_named_with_the_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unreachable, match=f"nats://127.0.0.1:{port} cannot be reached"):
        asyncio.run(connect(f"nats://127.0.0.1:{port}"))


@pytest.mark.parametrize(
    ("error", "may_come"),
    [
        (ConnectionRefusedError("refused"), True),
        (socket.gaierror("no such name yet"), True),
        (errors.TimeoutError(), True),
        (errors.UnexpectedEOF(), True),
        (errors.Error("nats: 'maximum connections exceeded'"), True),
        (errors.AuthorizationError(), False),
        (errors.Error("nats: 'User Authentication Expired'"), False),
        (errors.SecureConnRequiredError(), False),
        (ssl.SSLCertVerificationError("another authority"), False),
        (ValueError("no address"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_only_a_server_that_may_come_later_is_unreachable(
    error: Exception, may_come: bool
) -> None:
    raised = _not_connected(Servers(("nats://a", "nats://b")), [error])
    assert isinstance(raised, Unreachable) == may_come
    assert str(raised).startswith("nats://a, nats://b cannot be reached: ")


def test_a_server_that_refuses_is_named_rather_than_one_that_is_not_there() -> None:
    found: list[Exception] = [errors.AuthorizationError(), ConnectionRefusedError()]
    raised = _not_connected(Servers(("nats://a",)), [errors.NoServersError(), *found])
    assert not isinstance(raised, Unreachable)
    assert "authorization failed" in str(raised)


def test_a_certificate_that_cannot_be_read_is_an_error() -> None:
    async def secured() -> None:
        async with connected(Servers(("tls://127.0.0.1:9",), tls_ca="/no/such/file")):
            pytest.fail("there is no such file")

    with pytest.raises(FleetError, match="No such file"):
        asyncio.run(secured())


def test_without_the_library_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "nats", None)
    with pytest.raises(NotInstalled, match=r"pip install 'gamin\[fleet\]'"):
        load_library()


def test_the_loss_of_a_connection_is_an_error_for_whoever_waits_for_it() -> None:
    async def wait() -> None:
        lost = asyncio.Event()
        connection = Connection(None, lost)  # type: ignore[arg-type]  # no client is asked
        asyncio.get_running_loop().call_soon(lost.set)
        await connection.until_lost()

    with pytest.raises(FleetError, match="was lost"):
        asyncio.run(wait())


class Silent:
    """A JetStream context of a server that has just started, and does not answer."""

    async def stream_info(self, name: str) -> None:
        from nats.errors import TimeoutError as NoAnswer

        raise NoAnswer

    key_value = stream_info


@pytest.mark.parametrize("ask", [ensure_stream, bucket])
def test_a_question_without_an_answer_is_an_error_that_can_be_tried_again(
    ask: Callable[..., Coroutine[Any, Any, object]],
) -> None:
    with pytest.raises(FleetError, match="NAME: nats: timeout"):
        asyncio.run(ask(Silent(), "NAME"))
