"""docs/protocol.md: its names are those of the code, its example is what happens."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gamin.protocol.watchman.capabilities import OURS
from gamin.protocol.watchman.client.belief import Belief
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS, decode_compact
from gamin.protocol.watchman.commands import COMMANDS
from gamin.protocol.watchman.query.fields import OWN_FIELDS
from gamin.protocol.watchman.query.options import OPTIONS
from testkit.daemon import daemon

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
WATCHMAN_PAGE = (Path(__file__).parents[2] / "docs" / "watchman.md").read_text()

WATCHMAN_OPTIONS = {
    *("always_include_directories", "case_sensitive", "dedup_results"),
    *("empty_on_fresh_instance", "glob", "glob_includedotfiles", "glob_noescape"),
    *("fail_if_no_saved_state", "omit_changed_files", "lock_timeout", "path"),
    *("relative_root", "request_id", "settle_period"),
    *("settle_timeout", "suffix", "sync_timeout"),
}
"""Members of a query that Watchman's documentation describes."""


def section(title: str, page: str = PAGE) -> str:
    _, _, rest = page.partition(f"\n## {title}\n")
    assert rest, title
    return rest.partition("\n## ")[0]


def first_column(title: str) -> list[str]:
    return re.findall(r"^\| `(.+?)` \|", section(title), re.MULTILINE)


def test_the_page_lists_the_capabilities_that_the_server_announces() -> None:
    assert first_column("Capabilities") == sorted(OURS)


def test_the_page_lists_every_command() -> None:
    own = [json.loads(text)[0] for text in first_column("Own commands")]
    assert sorted(own) == sorted(name for name in COMMANDS if is_own(name))
    rows = "\n".join(first_column("Commands of Watchman"))
    listed = re.findall(r"[a-z-]+", rows)
    assert sorted(listed) == sorted(name for name in COMMANDS if not is_own(name))


def is_own(command: str) -> bool:
    return command.startswith("gamin-")


def test_the_page_lists_the_fields_that_watchman_does_not_have() -> None:
    assert first_column("Fields") == sorted(OWN_FIELDS)


def test_the_page_lists_the_query_members_that_watchman_does_not_have() -> None:
    ours = OPTIONS.keys() - WATCHMAN_OPTIONS
    assert first_column("Members of a query") == sorted({*ours, "watch"})


def test_the_page_about_watchman_says_what_its_members_of_a_query_do_here() -> None:
    rows = section("Members of a query", WATCHMAN_PAGE)
    missing = [each for each in WATCHMAN_OPTIONS if f"`{each}`" not in rows]
    assert not missing


def test_every_letter_of_a_row_is_explained() -> None:
    letters = first_column("Compact rows")
    singles = [letter for letter in letters if letter not in "ft"]
    kinds = [row[0].value for each in singles for row in decode_compact(each + "x")]
    explained = [
        line.split("|")[2].strip()
        for line in section("Compact rows").splitlines()
        if re.match(r"\| `[^ft]` ", line)
    ]
    assert kinds == explained
    assert decode_compact("fx//ty")[0][0].value == "moved"
    assert "`" + "`, `".join(EVENT_FIELDS) + "`" in section("Compact rows").replace(
        "\n", " "
    )


def test_the_example_of_a_listing_means_what_the_page_says() -> None:
    (text,) = re.findall(r'"names":("//.*?")', PAGE)
    assert listed({"names": json.loads(text)}) == [
        ("", True),
        ("lib", True),
        ("lib/a.c", False),
        ("main.c", False),
    ]


def test_the_server_answers_as_in_the_example(session: str, tmp_path: Path) -> None:
    """With nothing but a socket and JSON, as a client in another language has it."""
    root = tmp_path / "src"
    (root / "lib").mkdir(parents=True)
    (root / "lib" / "a.c").touch()
    (root / "main.c").touch()
    lines = [
        (line[0], json.loads(line[2:].replace("ROOT", str(root))))
        for block in re.findall(r"```text\n(.*?)```", section("An example"), re.DOTALL)
        for line in block.splitlines()
    ]
    changes: list[Callable[[], object]] = [
        lambda: (root / "main.c").rename(root / "prog.c"),
        lambda: (root / "new").mkdir(),
    ]
    with daemon(session, tmp_path / "home") as served, served.watchman() as connected:
        connected.settimeout(30)
        replies = connected.makefile("rb")
        for direction, value in lines:
            if direction == ">":
                connected.sendall(json.dumps(value).encode() + b"\n")
                continue
            if "names" not in value and "rows" in value:
                changes.pop(0)()
            reply = json.loads(replies.readline())
            assert without_what_differs(reply) == without_what_differs(value)
    assert not changes


def without_what_differs(reply: dict[str, Any]) -> dict[str, Any]:
    """Clocks, times and identities differ each time: only their types are kept.

    The order of names in a listing is that of the file system.
    """
    differing = {"clock", "complete_until_ns", "inode", "version", "buildinfo"}
    same = {
        name: type(value) if name in differing else value
        for name, value in reply.items()
    }
    return same | ({"names": listed(reply)} if "names" in reply else {})


def listed(reply: dict[str, Any]) -> list[tuple[str, bool]]:
    return sorted(Belief.read(reply).walk())
