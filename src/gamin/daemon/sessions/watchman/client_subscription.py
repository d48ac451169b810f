"""A subscription of a connected client: deliveries as messages in its encoding."""

from collections.abc import Sequence
from typing import Protocol

from gamin.daemon.sessions.watchman.delivery import Delivery
from gamin.daemon.sessions.watchman.states import StateChange
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.clocks import Clock
from gamin.protocol.watchman.codec.codec import Codec


class Client(Protocol):
    """The connection, as far as a subscription needs it."""

    @property
    def codec(self) -> Codec: ...

    @property
    def is_blocked(self) -> bool: ...

    def send(self, data: bytes) -> None: ...

    def send_pieces(self, pieces: Sequence[bytes]) -> None:
        """As `send`, for one message in pieces."""

    def flush(self) -> None: ...


class ClientSubscription:
    """A `Sink` that encodes deliveries and sends them to its client."""

    def __init__(self, client: Client, name: str) -> None:
        self.name = name
        self._client = client
        self._encoded_name: tuple[Codec, bytes] | None = None

    @property
    def client(self) -> str:
        return str(self._client)

    def belongs_to(self, subscriber: Subscriber) -> None:
        """Called once, before the root knows the subscriber."""

    @property
    def is_blocked(self) -> bool:
        return self._client.is_blocked

    @property
    def codec(self) -> Codec:
        return self._client.codec

    def deliver(self, delivery: Delivery) -> None:
        client = self._client
        codec = client.codec
        if not delivery.is_brief:
            client.send_pieces(self._full(delivery, codec))
            return
        name = self._encoded_name
        client.send(
            codec.brief(
                name[1] if name and name[0] is codec else self._encode_name(codec),
                delivery.clock,
                delivery.complete_until_ns,
                delivery.rows.encoded(codec),
                recovered=delivery.recovered,
            )
        )

    def _full(self, delivery: Delivery, codec: Codec) -> list[bytes]:
        reply = replies.message(
            self.name,
            delivery.root,
            delivery.clock,
            since=delivery.since,
            fresh=delivery.is_fresh,
            recovered=delivery.recovered,
            complete_until_ns=delivery.complete_until_ns,
            inode=delivery.inode,
            warning=delivery.warning,
        )
        parts = {delivery.rows.member: delivery.rows.pieces(codec)}
        if delivery.unreadable:
            text = b"//".join(sorted(delivery.unreadable))
            parts["unreadable"] = (codec.text(text),)
        elif delivery.unreadable is not None:
            reply["unreadable"] = None
        listing = delivery.listing
        if listing is not None:
            if listing.is_file:
                reply["is_file"] = True
            if listing.is_nothing:
                reply["names"] = None
            else:
                parts["names"] = listing.pieces(codec)
        return codec.encode_around(reply, parts)

    def state_changed(self, root: bytes, clock: Clock, change: StateChange) -> None:
        message = replies.state_message(
            self.name,
            root,
            clock,
            change.name,
            entered=change.is_entered,
            metadata=change.metadata,
            abandoned=change.is_abandoned,
        )
        self._client.send(self._client.codec.encode(message))

    def canceled(self, root: bytes) -> None:
        client = self._client
        client.send(client.codec.encode(replies.canceled(self.name, root)))

    def removed(self) -> None:
        """Nothing is left to be released."""

    def flush(self) -> None:
        self._client.flush()

    def _encode_name(self, codec: Codec) -> bytes:
        name = codec.text(self.name.encode("utf-8", "surrogatepass"))
        self._encoded_name = codec, name
        return name
