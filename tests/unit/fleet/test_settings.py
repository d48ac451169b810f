"""Settings of a publisher, and what is wrong with bad ones."""

import pytest

from gamin.fleet.settings import BadSettings, Servers, check_url, host_name, parse

FULL = """
servers = ["tls://nats.example.org:4222"]
stream = "FLEET"
host = "web1"
credentials = "/etc/gamin/nats.creds"
tls_ca = "/etc/gamin/ca.pem"

[[trees]]
path = "/srv/data/"
ignore = ["*.tmp"]
vcs_ignore = true
labels = {rack = "7"}

[[trees]]
path = "/srv/other"
name = "second"
"""


def test_everything_can_be_set() -> None:
    publication = parse(FULL, "ignored")
    assert publication.servers == Servers(
        ("tls://nats.example.org:4222",), "/etc/gamin/nats.creds", "/etc/gamin/ca.pem"
    )
    assert (publication.stream, publication.host) == ("FLEET", "web1")
    first, second = publication.trees
    assert (first.path, first.name) == ("/srv/data", "srv_data")
    assert first.ignore == ("*.tmp",)
    assert first.vcs_ignore
    assert first.labels == {"rack": "7"}
    assert second.name == "second"


def test_little_has_to_be_set() -> None:
    text = 'servers = ["nats://localhost"]\n[[trees]]\npath = "/srv"'
    publication = parse(text, "build.example.org")
    assert (publication.stream, publication.host) == ("GAMIN", "build_example_org")


HEAD = 'servers = ["nats://h"]\n'
TREE = f'{HEAD}[[trees]]\npath = "/s"\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("servers = [", "no TOML"),
        ('[[trees]]\npath = "/srv"', "servers must be a list"),
        ('servers = ["nats://h"]', "there is no tree"),
        ('servers = "nats://h"', "servers must be a list"),
        ('servers = ["http://h"]', "a server is nats://HOST"),
        ('servers = ["nats://me:secret@h"]', "use a credentials file"),
        ('servers = ["me:secret@h"]', "use a credentials file"),
        (f'{HEAD}[[trees]]\npath = "srv"', "must be absolute"),
        (f'{TREE}nmae = "x"', "no 'nmae'"),
        (f'{TREE}name = "a b"', "letters"),
        (f"{TREE}labels = {{a = 1}}", "texts"),
        (f'{TREE}[[trees]]\npath = "/s/"', "two trees are named 's'"),
        (f'stream = "a.b"\n{TREE}', "stream"),
        (f'host = "a.b"\n{TREE}', "host 'a.b'"),
        (f"port = 1\n{TREE}", "no 'port'"),
    ],
)
def test_a_mistake_is_an_error_that_says_where(text: str, reason: str) -> None:
    with pytest.raises(BadSettings, match=reason):
        parse(text, "host")


def test_hosts_of_two_domains_have_two_names() -> None:
    assert host_name("web1.example.org") == "web1_example_org"
    assert host_name("web1.example.net") != host_name("web1.example.org")
    assert host_name("web 1") == "web_1"
    assert check_url("nats://localhost:4222") == "nats://localhost:4222"
