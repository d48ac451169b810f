"""Accounts of a NATS server in operator mode, as the tool nsc makes them.

Keys are ed25519 "nkeys"; rights are JSON web tokens that the key above signs. A user
gets a file with a token and the seed of the key.
https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt
"""

import base64
import json
import os
import time
from pathlib import Path
from typing import Any

import nkeys

_UNLIMITED = dict.fromkeys(
    (
        *("subs", "data", "payload", "imports", "exports", "conn", "leaf"),
        *("mem_storage", "disk_storage", "streams", "consumer"),
    ),
    -1,
)


class Key:
    """A new key of a kind: nkeys.PREFIX_BYTE_OPERATOR and so on."""

    def __init__(self, kind: int) -> None:
        self.seed: bytes = nkeys.encode_seed(os.urandom(32), kind)
        self._pair = nkeys.from_seed(bytearray(self.seed))
        self.public: str = self._pair.public_key.decode()

    def token(self, of: "Key", name: str, rights: dict[str, Any]) -> str:
        """A token that says what `of` may do, signed by this key."""
        claims = {
            "jti": name,
            "iat": int(time.time()),
            "iss": self.public,
            "sub": of.public,
            "name": name,
            "nats": {"version": 2, **rights},
        }
        head = _encoded(b'{"typ":"JWT","alg":"ed25519-nkey"}')
        signed = f"{head}.{_encoded(json.dumps(claims).encode())}"
        return f"{signed}.{_encoded(self._pair.sign(signed.encode()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def write_accounts(folder: Path) -> tuple[Path, Path]:
    """The configuration of a server with one account, and the credentials of a user."""
    operator = Key(nkeys.PREFIX_BYTE_OPERATOR)
    account, system = (Key(nkeys.PREFIX_BYTE_ACCOUNT) for _ in range(2))
    user = Key(nkeys.PREFIX_BYTE_USER)
    limits = {"type": "account", "limits": {**_UNLIMITED, "wildcards": True}}
    system_limits = {"type": "account", "limits": {"subs": -1, "conn": -1, "data": -1}}
    token = account.token(
        user, "publisher", {"type": "user", "subs": -1, "data": -1, "payload": -1}
    )
    configuration = folder / "server.conf"
    configuration.write_text(
        f"operator: {operator.token(operator, 'operator', {'type': 'operator'})}\n"
        f"system_account: {system.public}\n"
        "resolver: MEMORY\n"
        "resolver_preload: {\n"
        f"  {account.public}: {operator.token(account, 'account', limits)}\n"
        f"  {system.public}: {operator.token(system, 'system', system_limits)}\n"
        "}\n"
    )
    credentials = folder / "user.creds"
    credentials.write_text(
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        "-----BEGIN USER NKEY SEED-----\n"
        f"{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )
    return configuration, credentials
