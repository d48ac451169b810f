"""Processes as /proc shows them."""

import os
import subprocess

from gamin.system.process_table import group_members, pids
from testkit.waiting import eventually


def test_the_own_process_is_listed() -> None:
    assert os.getpid() in pids()


def test_a_group_has_its_running_members_and_no_zombie() -> None:
    script = "sleep 1000 & echo $!; exec sleep 1000"
    with subprocess.Popen(
        ["sh", "-c", script], process_group=0, stdout=subprocess.PIPE, text=True
    ) as leader:
        assert leader.stdout is not None
        child = int(leader.stdout.readline())
        assert sorted(group_members(leader.pid)) == sorted([leader.pid, child])
        os.kill(leader.pid, 9)
        eventually(lambda: group_members(leader.pid) == [child])
        os.kill(child, 9)
        eventually(lambda: group_members(leader.pid) == [])
