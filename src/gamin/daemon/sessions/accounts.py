"""Accounts of the bytes that the server holds for clients: requests and answers.

One budget covers all connections. A client that holds little never feels it.
"""

from typing import NamedTuple

from gamin.config.client_limits import ClientLimits

FREE_BYTES = 1 << 20
"""Bytes that a connection may hold even when the budget is used up."""


class Usage(NamedTuple):
    """What one connection takes of the server now."""

    bytes_in: int
    """Bytes of requests that are not carried out, or not complete."""
    bytes_out: int
    """Bytes that the client has not taken."""
    requests: int
    """Complete requests that wait, the present one included."""
    terms: int
    """Terms and patterns of its subscriptions."""


class Accounts:
    def __init__(self) -> None:
        self.held_bytes = 0
        """What all connections hold."""
        self.max_held_bytes: int = ClientLimits().held_bytes
        """The most that all connections together may make the server hold."""

    @property
    def is_exhausted(self) -> bool:
        return self.held_bytes > self.max_held_bytes


class Account:
    """The account of one connection."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self.held_bytes: int = 0

    def hold(self, held_bytes: int) -> None:
        """The connection holds so much now."""
        self._accounts.held_bytes += held_bytes - self.held_bytes
        self.held_bytes = held_bytes

    @property
    def is_exhausted(self) -> bool:
        """The budget is used up, and this connection has its part in it."""
        return self.held_bytes > FREE_BYTES and self._accounts.is_exhausted
