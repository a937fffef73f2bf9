#!/usr/bin/env python3
"""The disk under the running daemon cannot be read any more, for good: it does not go on as if nothing were, it says so
and ends, each start says so again, and once the disk is mended nothing that was acknowledged is missing.
disk_reads.c stands between SQLite and the disk."""
import itertools
import pathlib
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from preload import built  # noqa: E402
from vigild import Daemon, Place, wait_until  # noqa: E402

serials = itertools.count()  # no delivery is like another

CONFIG = """
[daemon]
safe_mode_starts = 2
[http]
listen = ["127.0.0.1:0"]
[source.github]
kind = "webhook"
scheme = "github"
secrets = ["file:@DIR@/secret"]
[entity.clerk]
kind = "rules"
[[entity.clerk.on]]
source = "github"
[[entity.clerk.rule]]
name = "write-down"
remember = "kept {{event.data.serial}}"
"""


class DiskCannotBeRead(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="vigild-disk-")
        cls.library = built("tests/faults/disk_reads.c", cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def hear(self, daemon):
        """The serial of an event that was acknowledged; None: it was not."""
        serial = next(serials)
        try:
            status = daemon.post_github({"serial": serial}, event="ping")[0]
        except OSError:
            return None
        self.assertIn(status, (202, 500, 503))
        return serial if status == 202 else None

    def test_it_says_so_and_ends_and_nothing_acknowledged_is_missing(self):
        with Place(CONFIG) as place:
            broken = place.path / "broken"
            wrapper = ("env", f"LD_PRELOAD={self.library}", f"VIGIL_BROKEN_DISK={broken}")
            heard = set()
            for _ in range(2):
                with Daemon(place, wrapper=wrapper) as daemon:
                    heard |= {self.hear(daemon) for _ in range(20)}
                    daemon.settle()
                    broken.touch()

                    def ended():
                        heard.add(self.hear(daemon))
                        return daemon.ended()
                    wait_until("it ends", ended)
                    self.assertNotEqual(daemon.process.returncode, 0)
                    self.assertRegex(daemon.log(), r"error (nothing works without this, the process ends|the database failed, ending): "
                                                   r".*SQLite")
                with self.assertRaisesRegex(AssertionError, r"the disk under .*/vigil.db does not read or write"):
                    Daemon(place, wrapper=wrapper)
                broken.unlink()
            with Daemon(place, wrapper=wrapper) as daemon:
                self.assertIn("2 starts within 5m ended in a crash", daemon.ctl("status")["safe_mode"])
                daemon.ctl("safe-mode", "leave")
                daemon.settle()
                daemon.ctl("doctor", "--ledger")  # its chains are whole
            with sqlite3.connect(f"file:{place.state}/vigil.db?mode=ro", uri=True) as db:
                kept = {int(text.split()[1]) for (text,) in db.execute("SELECT text FROM episode WHERE entity = 'clerk'")}
            self.assertGreaterEqual(len(heard), 40)
            self.assertEqual(heard - {None} - kept, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
