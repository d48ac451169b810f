"""Unmodified programs that use Watchman, with our command on their PATH."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.required import missing, needs
from testkit.watchman_command import Installed, installed

HOOK = Path("/usr/share/git-core/templates/hooks/fsmonitor-watchman.sample")


@pytest.fixture
def command(session: str) -> Iterator[Installed]:
    with installed(session) as command:
        yield command


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "root"
    root.mkdir()
    return root


PYWATCHMAN = """
import sys, pywatchman
client = pywatchman.client()
print(client.query("watch-project", sys.argv[1])["watch"])
print(*client.query("query", sys.argv[1], {"fields": ["name"]})["files"])
"""


def test_pywatchman_finds_and_starts_the_server_by_itself(
    command: Installed, root: Path
) -> None:
    pytest.importorskip("pywatchman")
    (root / "file").touch()
    done = command.run([sys.executable, "-c", PYWATCHMAN, str(root)])
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().splitlines() == [str(root), "file"]


@needs("hg")
def test_mercurial_with_fsmonitor_sees_what_it_sees_without(
    command: Installed, root: Path
) -> None:
    (command.folder / ".hgrc").write_text(
        "[ui]\nusername = me\n[extensions]\nfsmonitor =\n[fsmonitor]\nmode = on\n"
    )

    def hg(*words: str) -> str:
        done = command.run(["hg", *words], cwd=root)
        assert done.returncode == 0, done
        assert not done.stderr, done
        return done.stdout.decode()

    hg("init")
    (root / "sub").mkdir()
    (root / "sub" / "a").write_text("a")
    (root / "b").write_text("b")
    hg("add")
    hg("commit", "-m", "first")
    assert hg("status") == ""
    (root / "sub" / "a").write_text("other")
    (root / "b").unlink()
    (root / "c").touch()
    expected = hg("status", "--config", "extensions.fsmonitor=!")
    assert hg("status") == expected == "M sub/a\n! b\n? c\n"
    hg("update", "--clean", ".")
    assert hg("status") == "? c\n"
    assert str(root) in command.reply("watch-list")["roots"]
    assert (root / ".hg" / "fsmonitor.state").exists()


@needs("git", "perl")
def test_gits_sample_hook_reports_what_changed(command: Installed, root: Path) -> None:
    if not HOOK.exists():
        missing("sample hook of git")
    (command.folder / ".gitconfig").write_text("[user]\nname=me\nemail=me@x\n")

    def git(*words: str) -> str:
        done = command.run(["git", *words], cwd=root)
        assert done.returncode == 0, done
        return done.stdout.decode()

    git("init", "-q")
    hook = root / ".git" / "hooks" / "query-watchman"
    hook.parent.mkdir(exist_ok=True)
    shutil.copy(HOOK, hook)
    hook.chmod(0o755)
    git("config", "core.fsmonitor", ".git/hooks/query-watchman")
    for name in ("a", "b"):
        (root / name).write_text(name)
    git("add", ".")
    git("commit", "-q", "-m", "first")
    assert git("status", "--short") == ""
    assert git("status", "--short") == ""
    (root / "a").write_text("other")
    (root / "b").unlink()
    (root / "c").touch()
    expected = git("-c", "core.fsmonitor=", "status", "--short")
    assert git("status", "--short") == expected == " M a\n D b\n?? c\n"
    assert str(root) in command.reply("watch-list")["roots"]
    names = json.dumps(command.reply("query", str(root), {"fields": ["name"]})["files"])
    assert '"c"' in names
