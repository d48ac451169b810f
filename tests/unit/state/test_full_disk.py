"""The store on a disk that is full or cannot be written: what was saved stays."""

import subprocess
import sys
from pathlib import Path

import pytest

from testkit.servers import can_mount

OWN_MOUNTS = ("unshare", "--mount", "--propagation=private")
pytestmark = pytest.mark.skipif(not can_mount(), reason="no mounts of its own here")

ON_A_SMALL_DISK = """
import os, subprocess, sys
from gamin.state.place import Place, Unusable
from gamin.state.store import Store
from tests.unit.state.test_store import CHUNK, HEADER, entry, read
disk = sys.argv[1]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "small", disk], check=True)
store = Store(Place(os.fsencode(disk + "/state"), b"s", os.getuid()))
store.save([entry()], [])
with open(disk + "/filler", "wb", buffering=0) as filler:
    try:
        while True:
            filler.write(bytes(4096))
    except OSError:
        pass
large = entry(tick=10, chunks=[os.urandom(300_000)])
try:
    store.save([large], [])
except Unusable as error:
    print("full:", "full" in str(error))
os.unlink(disk + "/filler")
print("kept:", read(store) == (HEADER, [CHUNK]))
subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
try:
    store.save([large], [])
except Unusable:
    print("read-only")
"""


def test_a_full_disk_and_a_read_only_one_keep_what_was_saved_before(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [*OWN_MOUNTS, sys.executable, "-c", ON_A_SMALL_DISK, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["full: True", "kept: True", "read-only"]


ON_A_FULL_DISK = """
import os, sqlite3, sys
from contextlib import closing
from gamin.state.place import Place, Unusable
from gamin.state.store import Store
from testkit.actions.mounts import enter_own_namespace, mount
from tests.unit.state.test_schema import as_version
from tests.unit.state.test_store import entry, read
disk, is_old = sys.argv[1], sys.argv[2] == "old"
enter_own_namespace()
mount(disk, megabytes=1)
place = Place(os.fsencode(disk + "/state"), b"s", os.getuid())
if is_old:
    Store(place).save([entry()], [])
    as_version(place, 3)
else:
    os.mkdir(disk + "/state", 0o700)
filling = os.open(disk + "/filling", os.O_WRONLY | os.O_CREAT)
free = os.statvfs(disk)
spare = 48 << 10  # a little more than what SQLite needs to open a database
os.posix_fallocate(filling, 0, free.f_bavail * free.f_bsize - spare)
try:
    Store(place).save([entry(tick=10)], [])
    print("saved")
except Unusable as error:
    print("damaged" if "damaged" in str(error) else "full")
os.close(filling)
os.unlink(disk + "/filling")
if is_old:
    with closing(sqlite3.connect(place.path)) as connection:
        print(connection.execute("SELECT count(*) FROM trees").fetchone() == (1,))
else:
    print(read(Store(place)) is None)
"""


@pytest.mark.parametrize("store", ["new", "old"])
def test_a_disk_too_full_for_new_tables_is_no_damage(
    tmp_path: Path, store: str
) -> None:
    """What is kept already stays, in the tables of the version before."""
    done = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK, tmp_path, store],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["full", "True"]
