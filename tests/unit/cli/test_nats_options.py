"""Options of the commands that talk to NATS."""

import argparse

import pytest

from gamin.cli.nats_options import add_nats, servers_of
from gamin.fleet.settings import BadSettings, Servers


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_nats(parser)
    return parser.parse_args(words)


def test_addresses_and_files_become_servers() -> None:
    args = parsed("--credentials", "/c", "--tls-ca", "/ca")
    assert servers_of("nats://a,tls://b:4222", args) == Servers(
        ("nats://a", "tls://b:4222"), "/c", "/ca"
    )
    assert args.stream == "GAMIN"


@pytest.mark.parametrize("urls", ["", "nats://a,", "http://a"])
def test_an_address_that_is_none_is_refused(urls: str) -> None:
    with pytest.raises(BadSettings):
        servers_of(urls, parsed())
