"""Watchman's client for Node, the file maps of React Native and jest, sane, jest itself
and Parcel's watcher, on our `watchman`."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from testkit.required import needs
from testkit.waiting import eventually
from testkit.watchman_command import Installed, installed, installed_by_others

pytestmark = pytest.mark.xdist_group("npm")  # the packages are installed once

PACKAGES = (
    *("fb-watchman@2.0.2", "metro-file-map@0.84.6", "jest-haste-map@30.5.1"),
    *("@parcel/watcher@2.6.0", "sane@5.0.1", "jest@30.5.1"),
)

FB_WATCHMAN = """
const watchman = require('fb-watchman');
const client = new watchman.Client();
const root = process.argv[2];
function check(error) { if (error) { console.error(error); process.exit(1); } }
client.capabilityCheck({required: ['relative_root', 'wildmatch']}, (error) => {
  check(error);
  client.command(['watch-project', root], (error, reply) => {
    check(error);
    console.log(reply.watch);
    const query = {suffix: 'js', fields: ['name']};
    client.command(['query', root, query], (error, reply) => {
      check(error);
      console.log(reply.files.join(' '));
      client.end();
    });
  });
});
"""

METRO = """
const FileMap = require('metro-file-map').default;
const fs = require('fs'), root = process.argv[2];
const options = {
  computeSha1: true, extensions: ['js'], retainAllFiles: false, rootDir: root,
  roots: [root], maxWorkers: 1, watch: true, useWatchman: true, resetCache: true,
  healthCheck: {enabled: false, interval: 1000, timeout: 1000, filePrefix: '.hc'},
};
(async () => {
  const map = new FileMap(options);
  const changed = new Promise((resolve) => map.on('change', resolve));
  const {fileSystem} = await map.build();
  for (const file of [...fileSystem.getAllFiles()].sort())
    console.log(JSON.stringify([file, fileSystem.getSha1(file)]));
  fs.writeFileSync(root + '/new.js', '1');
  await changed;
  console.log('changed');
  await map.end();
  process.exit(0);
})();
"""

JEST = """
const HasteMap = require('jest-haste-map').default;
const fs = require('fs'), root = process.argv[2];
(async () => {
  const map = await HasteMap.create({
    id: 'x', extensions: ['js'], rootDir: root, roots: [root], maxWorkers: 1,
    platforms: [], retainAllFiles: false, useWatchman: true, watch: true,
    computeSha1: true, resetCache: true, console, forceNodeFilesystemAPI: false,
  });
  const changed = new Promise((resolve) => map.on('change', resolve));
  const {hasteFS} = await map.build();
  for (const file of hasteFS.getAllFiles().sort())
    console.log(JSON.stringify([file, hasteFS.getSha1(file)]));
  fs.writeFileSync(root + '/new.js', '1');
  await changed;
  console.log('changed');
  await map.end();
  process.exit(0);
})();
"""

# Parcel's client locks itself up, with Watchman's own server too, when a message for a
# subscription comes while it waits for the reply to a request: whoever waits holds the
# lock that the reader needs for the message. So no program does both.
PARCEL_EVENTS = """
const watcher = require('@parcel/watcher');
const fs = require('fs'), root = process.argv[2];
(async () => {
  let heard;
  const first = new Promise((resolve) => { heard = resolve; });
  await watcher.subscribe(root, (error, events) => {
    if (error) throw error;
    heard(events);
  }, {backend: 'watchman'});
  fs.writeFileSync(root + '/new.js', '1');
  console.log(JSON.stringify(await first));
  process.exit(0);
})();
"""

PARCEL_DIFFERENCE = """
const watcher = require('@parcel/watcher');
const fs = require('fs'), root = process.argv[2], snapshot = process.argv[3];
const options = {backend: 'watchman'};
(async () => {
  await watcher.writeSnapshot(root, snapshot, options);
  fs.unlinkSync(root + '/0.js');
  console.log(JSON.stringify(await watcher.getEventsSince(root, snapshot, options)));
  process.exit(0);
})();
"""


SANE = """
const sane = require('sane');
const fs = require('fs'), root = process.argv[2], file = root + '/new.js';
const watcher = sane(root, {watchman: true, glob: ['**/*.js']});
const acts = {
  ready: () => fs.writeFileSync(file, '1'),
  add: () => fs.writeFileSync(file, '22'),
  change: () => fs.unlinkSync(file),
  delete: () => process.exit(0),
};
watcher.on('error', (error) => { console.error(error); process.exit(1); });
const seen = new Set();
for (const name of Object.keys(acts))
  watcher.on(name, (path) => {
    if (seen.has(name)) return;  // a write may be reported in two parts
    seen.add(name);
    console.log([name, path || ''].join(' '));
    acts[name]();
  });
"""

PROJECT = {
    "package.json": '{"jest": {"testEnvironment": "node"}}',
    "sum.js": "module.exports = (a, b) => a + b;",
    "sum.test.js": "const sum = require('./sum');\n"
    "test('adds', () => { expect(sum(1, 2)).toBe(3); });",
}


@pytest.fixture(scope="module")
def modules() -> Iterator[Path]:
    """A directory in which node finds the packages."""
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("no npm here")
    with installed("npm-install") as command, TemporaryDirectory() as name:
        place = Path(name)
        install = ["npm", "install", "--no-audit", "--no-fund", *PACKAGES]
        if command.run(install, cwd=place).returncode:
            pytest.skip("npm has no way to its packages")
        yield place


@pytest.fixture
def command(session: str) -> Iterator[Installed]:
    with installed(session) as command:
        yield command


@pytest.fixture
def root(command: Installed) -> Path:
    root = command.folder / "root"
    root.mkdir()
    for number in range(3):
        (root / f"{number}.js").write_text(f"x{number}")
    (root / "other").touch()
    return root


def lines(command: Installed, modules: Path, program: str, *words: Path) -> list[str]:
    done = command.run(["node", "-e", program, "x", *map(str, words)], cwd=modules)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().splitlines()


def test_the_client_of_npm_asks_our_server(
    command: Installed, modules: Path, root: Path
) -> None:
    watched, files = lines(command, modules, FB_WATCHMAN, root)
    assert watched == str(root)
    assert sorted(files.split()) == ["0.js", "1.js", "2.js"]


@pytest.mark.parametrize("program", [METRO, JEST], ids=["metro", "jest"])
def test_a_file_map_gets_hashes_and_changes_from_our_server(
    program: str, command: Installed, modules: Path, root: Path
) -> None:
    *files, last = lines(command, modules, program, root)
    hashes = {
        str(root / f"{number}.js"): hashlib.sha1(f"x{number}".encode()).hexdigest()
        for number in range(3)
    }
    assert dict(map(json.loads, files)) == hashes
    assert last == "changed"
    # Both fall back to a crawler of their own, silently, where Watchman does not work.
    assert command.reply("watch-list")["roots"] == [str(root)]


@pytest.fixture(params=["ours", "theirs"])
def either(request: pytest.FixtureRequest, session: str) -> Iterator[Installed]:
    """Our command, and Watchman itself: a program shall see no difference."""
    if request.param == "ours":
        with installed(session) as command:
            yield command
    elif shutil.which("watchman"):
        with installed_by_others() as command:
            yield command
    else:
        pytest.skip("no other watchman here")


def project(command: Installed, files: Mapping[str, str]) -> Path:
    root = command.folder / "root"
    root.mkdir()
    for name, text in files.items():
        (root / name).write_text(text)
    return root


def test_sane_reports_what_happens_to_a_file(either: Installed, modules: Path) -> None:
    root = project(either, {"0.js": "", "other": ""})
    found = lines(either, modules, SANE, root)
    assert found == ["ready ", "add new.js", "change new.js", "delete new.js"]
    assert either.reply("watch-list")["roots"] == [str(root)]


@needs("git")
def test_jest_runs_the_tests_of_a_file_that_changes(
    either: Installed, modules: Path
) -> None:
    root, output = project(either, PROJECT), either.folder / "output"
    name = ("-c", "user.name=me", "-c", "user.email=me@here")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        assert either.run(["git", *name, *words], cwd=root).returncode == 0
    jest = modules / "node_modules" / ".bin" / "jest"
    cache = f"--cacheDirectory={either.folder / 'cache'}"
    with output.open("wb") as file:
        watching = subprocess.Popen(
            ["node", str(jest), "--watch", f"--rootDir={root}", cache],
            cwd=root,
            env={**either.environ, "CI": "false"},
            stdin=subprocess.PIPE,  # it ends with its standard input
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: b"No tests found related" in output.read_bytes(), 50)
        (root / "sum.js").write_text("module.exports = (a, b) => a - b;")
        eventually(lambda: b"FAIL ./sum.test.js" in output.read_bytes(), 50)
    finally:
        watching.kill()
        watching.communicate()
    # Without Watchman it would watch by itself, silently.
    assert either.reply("watch-list")["roots"] == [str(root)]


def test_parcels_watcher_gets_events_from_our_server(
    command: Installed, modules: Path, root: Path
) -> None:
    [events] = lines(command, modules, PARCEL_EVENTS, root)
    assert json.loads(events) == [{"path": str(root / "new.js"), "type": "create"}]


def test_parcels_watcher_gets_a_difference_from_our_server(
    command: Installed, modules: Path, root: Path
) -> None:
    snapshot = command.folder / "snapshot"
    [events] = lines(command, modules, PARCEL_DIFFERENCE, root, snapshot)
    assert json.loads(events) == [{"path": str(root / "0.js"), "type": "delete"}]
