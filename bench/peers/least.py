"""The minimal watcher in Python: nothing but the system calls.

It is no tool, but a reference for the times of real ones: it knows no
names, reports only what is made, and handles nothing that may go wrong.
"""

from bench.peers.base import Interpreted

SAYS_SOMETHING = ("latency", "apart", "deep", "setup", "startup")


class Least(Interpreted):
    name = "least"
    about = "a Python loop of nothing but the system calls; no tool, a lower bound"
    package = "gamin"  # for the system calls alone
    client = "least_client"
    works = SAYS_SOMETHING


class Relay(Interpreted):
    name = "least-relay"
    about = "the same in a process of its own, and a client that reads from its socket"
    package = "gamin"
    client = "least_relay_client"
    works = SAYS_SOMETHING
