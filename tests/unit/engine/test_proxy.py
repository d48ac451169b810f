"""The copy of a directory that a distant mount's thread works with."""

from gamin.config.mounts import Mount
from gamin.core.model.node import Node
from gamin.engine.proxy import Proxy, Wanted

MOUNT = Mount(b"/", "nfs")


def test_a_proxy_keeps_its_path_until_it_is_renewed() -> None:
    above = Node(None, b"")
    node = Node(above, b"a")
    proxy = Proxy(node, MOUNT)
    node.name = b"b"
    node.forget_path()
    assert (proxy.path(), proxy.path_prefix()) == (b"/a", b"/a/")
    proxy.update(Wanted.of(node, Proxy(above, MOUNT)))
    assert (proxy.path(), proxy.path_prefix()) == (b"/b", b"/b/")


def test_a_proxy_of_the_root_has_one_slash() -> None:
    assert Proxy(Node(None, b""), MOUNT).path_prefix() == b"/"


def test_a_proxy_takes_over_what_is_wanted() -> None:
    node = Node(None, b"")
    node.kernel_mask, node.poll_mask = 1, 2
    node.watches_named_entries_only = True
    node.path_waiters = {b"name": {}}
    proxy = Proxy(node, MOUNT)
    proxy.update(Wanted.of(node, proxy))
    assert (proxy.kernel_mask, proxy.poll_mask, proxy.mask) == (1, 2, 3)
    assert list(proxy.awaited_names()) == [b"name"]
