"""Changes of many machines as one stream, on NATS JetStream.

`gamin publish` sends the changes of trees; `follow` and `gamin follow` receive them.
Needs `nats-py`: pip install 'gamin[fleet]'.
"""

from gamin.fleet.follower import Follower, follow
from gamin.fleet.message import FleetEvent
from gamin.fleet.mirror import Mirror

__all__ = ["FleetEvent", "Follower", "Mirror", "follow"]
