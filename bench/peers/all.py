"""The peers by name, in the order of the tables."""

from bench.peers.base import Peer
from bench.peers.fswatch import Fswatch
from bench.peers.gamin import Gamin, GaminV1, GaminWatch
from bench.peers.inotifywait import Inotifywait
from bench.peers.least import Least, Relay
from bench.peers.libgamin import Original, Ours
from bench.peers.raw import Raw
from bench.peers.watchdog import Watchdog
from bench.peers.watchfiles import Watchfiles, WatchfilesTuned
from bench.peers.watchman import Watchman

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Raw(),
        Least(),
        Relay(),
        Gamin(),
        GaminWatch(),
        GaminV1(),
        Ours(),
        Original(),
        Inotifywait(),
        Watchdog(),
        Watchfiles(),
        WatchfilesTuned(),
        Watchman(),
        Fswatch(),
    )
}
