"""The least that watching in Python can be: nothing but the system calls.

No tool, but what the times of those that are one can be compared with: it knows no
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
