#!/usr/bin/env python3
"""The wall clock of the running daemon is set by an hour, both ways, beneath all that waits: schedules, proposals,
gathering wakes, swarms, polled documents, connections. wall_clock.c stands between the program and the clock."""
import http.server
import itertools
import json
import pathlib
import shutil
import sqlite3
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from preload import built  # noqa: E402
from vigild import Daemon, Place, wait_until  # noqa: E402

HOUR = 3600
serials = itertools.count()  # no delivery is like another

CONFIG = """
[daemon]
safe_mode_starts = 0
[http]
listen = ["127.0.0.1:0"]
[approvals]
expires = "2h"
[source.github]
kind = "webhook"
scheme = "github"
secrets = ["file:@DIR@/secret"]
[source.hourly]
kind = "schedule"
every = "1h"
[source.page]
kind = "poll"
url = "http://127.0.0.1:@PORT@/"
form = "document"
every = "1s"
[sink.out]
kind = "file"
path = "@DIR@/out.jsonl"
[entity.clerk]
kind = "rules"
autonomy = "propose"
[[entity.clerk.on]]
source = "github"
[[entity.clerk.rule]]
name = "write-down"
[[entity.clerk.rule.action]]
sink = "out"
payload = { text = "{{event.id}}" }
[entity.gatherer]
kind = "rules"
[[entity.gatherer.on]]
source = "github"
[[entity.gatherer.rule]]
name = "count"
remember = "gathered"
[entity.gatherer.reactivity]
debounce = { period = "40m", timeout = "40m" }
[entity.ticker]
kind = "rules"
[[entity.ticker.on]]
source = "hourly"
[[entity.ticker.rule]]
name = "tick"
remember = "tick"
"""


class Document(http.server.BaseHTTPRequestHandler):
    """Another one each time."""
    asked = 0

    def do_GET(self):
        Document.asked += 1
        body = str(Document.asked).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class WallClock:
    """The clock of one program, which the test sets."""

    def __init__(self, library, file):
        self.library, self.file = library, file
        self.ahead = 0
        self.set(0)

    def set(self, ahead):
        self.ahead = ahead
        with open(self.file, "r+b" if self.file.exists() else "wb") as out:
            out.write(ahead.to_bytes(8, "little", signed=True))

    def jump(self, by):
        self.set(self.ahead + by)

    def wrapper(self):
        return ("env", f"LD_PRELOAD={self.library}", f"VIGIL_WALL_CLOCK={self.file}")


class ClockIsSet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="vigild-clock-")
        cls.library = built("tests/faults/wall_clock.c", cls.folder.name)
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Document)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        cls.folder.cleanup()

    def setUp(self):
        self.place = Place(CONFIG.replace("@PORT@", str(self.server.server_address[1])))
        self.clock = WallClock(self.library, self.place.path / "wall-clock")
        self.daemon = Daemon(self.place, wrapper=self.clock.wrapper())
        self.addCleanup(shutil.rmtree, self.place.path, ignore_errors=True)

    def tearDown(self):
        self.daemon.__exit__()

    def hear(self):
        self.assertEqual(self.daemon.post_github({"serial": next(serials)}, event="ping")[0], 202)

    def rows(self, sql, *values):
        with sqlite3.connect(f"file:{self.place.state}/vigil.db?mode=ro", uri=True) as db:
            return [row[0] for row in db.execute(sql, values)]

    def decisions(self, entity):
        return self.rows("SELECT count(*) FROM decision WHERE entity = ? AND verdict IN ('acted', 'noted')", entity)[0]

    def firings(self):
        return self.rows("SELECT time FROM event WHERE source = 'hourly' ORDER BY id")

    def proposals(self):
        return self.rows("SELECT state FROM action WHERE sink = 'out' ORDER BY id")

    def goes_on(self):
        """Who looks at documents looks, who calls is answered, and what comes in is decided."""
        asked, before = Document.asked, len(self.proposals())
        self.hear()
        wait_until("it is decided", lambda: len(self.proposals()) == before + 1)
        wait_until("the document is looked at", lambda: Document.asked > asked + 1)

    def run_swarm(self):
        plan = self.place.write("plan.json", json.dumps({"title": "long", "timeout": "30m", "tasks": [
            {"name": "long", "containment": "none", "timeout": "20m", "argv": ["/bin/sleep", "4"]}]}))
        return self.daemon.ctl("swarms", "run", plan, "--entity", "clerk")["id"]

    def ended_well(self, swarm):
        wait_until("the swarm ends", lambda: self.daemon.ctl("swarms", "show", swarm)["state"] != "running")
        self.assertEqual(self.daemon.ctl("swarms", "show", swarm)["state"], "done")

    def test_an_hour_forward_twice(self):
        wait_until("the document is looked at", lambda: Document.asked > 0)
        self.goes_on()
        swarm, fired = self.run_swarm(), len(self.firings())
        self.assertEqual(self.decisions("gatherer"), 0)
        self.clock.jump(HOUR)
        wait_until("what gathered is decided", lambda: self.decisions("gatherer") == 1)
        wait_until("the hour is struck", lambda: len(self.firings()) == fired + 1)
        self.assertEqual(self.proposals(), ["proposed"])
        self.goes_on()
        self.ended_well(swarm)
        self.clock.jump(HOUR)
        wait_until("the hour is struck again", lambda: len(self.firings()) == fired + 2)
        wait_until("the older proposal expires", lambda: self.proposals() == ["expired", "proposed"])
        wait_until("what gathered is decided", lambda: self.decisions("gatherer") == 2)
        self.goes_on()
        self.assertEqual(len(set(self.firings())), fired + 2)

    def test_an_hour_back_and_a_crash_there(self):
        self.goes_on()
        self.clock.jump(HOUR)
        wait_until("the hour is struck", lambda: len(self.firings()) >= 1)
        wait_until("what gathered is decided", lambda: self.decisions("gatherer") == 1)
        fired, swarm = len(self.firings()), self.run_swarm()
        self.clock.jump(-HOUR)
        self.goes_on()
        self.ended_well(swarm)
        self.daemon.kill()
        self.daemon = Daemon(self.place, wrapper=self.clock.wrapper())
        self.goes_on()
        self.assertEqual(self.proposals(), ["proposed"] * 3)
        self.clock.jump(HOUR)  # the hour that was there before
        wait_until("what gathered is decided", lambda: self.decisions("gatherer") == 2)
        self.goes_on()
        self.assertEqual(len(self.firings()), fired)
        self.clock.jump(HOUR)
        wait_until("a new hour is struck", lambda: len(self.firings()) == fired + 1)
        wait_until("the proposals expire", lambda: self.proposals() == ["expired"] * 3 + ["proposed"])
        self.assertEqual(len(set(self.firings())), fired + 1)


if __name__ == "__main__":
    unittest.main()
