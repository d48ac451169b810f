"""One gaminrc, read by the original server and by us: do both see the same rules?

Left out is what only we take: a tab after the first word, or blanks before it, make
the original pass over the whole line.
"""

import os
import re
import subprocess
from pathlib import Path
from uuid import uuid4

from gamin.config.gaminrc import Method, PathRule, parse
from testkit.original import SERVER, require_original

TEXT = """\
# poll /remark
poll /plain /two/* # /not
notify   /blanks  ~/home ~
poll /a#b /é?
poll relative
poll
nonsense /x
fsset ext4 poll 4
notify /last"""

# What it says to itself with GAM_DEBUG, one line for each rule: 1 is polling.
ADDED = re.compile(rb"^added (.*),([01]) to excludes$", re.MULTILINE)
SAID_LAST = b"Ready listening"


def rules_of_the_original(home: Path) -> list[tuple[bytes, Method]]:
    session = str(uuid4())
    environment = os.environ | {
        "HOME": str(home),
        "GAM_CLIENT_ID": session,
        "GAM_DEBUG": "",
    }
    said = b""
    with subprocess.Popen(
        [SERVER, "--notimeout", session],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as server:
        assert server.stdout is not None
        for line in server.stdout:
            said += line
            if SAID_LAST in line:
                break
        server.terminate()
    methods = {b"0": Method.KERNEL, b"1": Method.POLL}
    return [(pattern, methods[number]) for pattern, number in ADDED.findall(said)]


def test_the_original_reads_the_same_path_rules(tmp_path: Path) -> None:
    require_original()
    (tmp_path / ".gaminrc").write_text(TEXT)
    ours = [
        (rule.pattern, rule.method)
        for rule in parse(TEXT.encode(), os.fsencode(tmp_path))
        if isinstance(rule, PathRule)
    ]
    theirs = rules_of_the_original(tmp_path)
    # Around them are the rules of the machine and its four built-in ones.
    start = theirs.index(ours[0])
    assert theirs[start : start + len(ours)] == ours
    assert len(ours) == 8
