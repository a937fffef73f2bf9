#!/usr/bin/env python3
"""Deliveries that GitHub did not get through are asked for again, whatever is killed when. A stand-in plays GitHub: it
delivers, keeps the list of attempts, and delivers again when it is asked to. The daemon is the real one."""
import datetime
import http.client
import http.server
import json
import pathlib
import re
import sqlite3
import sys
import threading
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import Daemon, Place, real_payload, signature, wait_until  # noqa: E402

CONFIG = """
[daemon]
drain_timeout = "2s"
safe_mode_starts = 0
[http]
listen = ["127.0.0.1:0"]
[source.github]
kind = "webhook"
scheme = "github"
secrets = ["file:@DIR@/secret"]
[source.github.redelivery]
hooks = ["repos/octo/repo/hooks/7"]
base_url = "@HUB@"
token = "file:@DIR@/token"
every = "1s"
"""
TOKEN = "ghp_stand_in"


class Hub(http.server.ThreadingHTTPServer):
    """GitHub, as far as it goes."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.port = None  # of the daemon; None: nobody is there
        self.attempts = []  # newest first
        self.bodies = {}
        self.asked = []  # ids
        self.unchanged = 0
        self.limited = 0  # so many requests are refused by the limit
        self.before_answer = lambda number: None
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def deliver(self, guid=None):
        again = guid is not None
        guid = guid or str(uuid.uuid4())
        number = self.bodies.setdefault(guid, len(self.bodies))
        payload = json.loads(real_payload())
        payload["number"] = payload["pull_request"]["number"] = number
        body = json.dumps(payload).encode()
        status = 0
        try:
            door = http.client.HTTPConnection("127.0.0.1", self.port or 1, timeout=10)
            door.request("POST", "/hooks/github", body, {
                "Content-Type": "application/json", "X-GitHub-Event": "pull_request", "X-GitHub-Delivery": guid,
                "X-Hub-Signature-256": signature(body)})
            status = door.getresponse().status
            door.close()
        except OSError:
            pass  # nobody there, or gone in the middle
        at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self.lock:
            self.attempts.insert(0, {"id": len(self.attempts) + 1, "guid": guid, "delivered_at": at, "redelivery": again,
                                     "status": "OK" if status // 100 == 2 else "failed", "status_code": status,
                                     "event": "pull_request", "action": "opened"})
        return guid


class Answers(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body="", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def refused(self):
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.answer(401, '{"message":"Bad credentials"}')
            return True
        if self.server.limited > 0:
            self.server.limited -= 1
            self.answer(403, '{"message":"API rate limit exceeded"}', [("Retry-After", "1")])
            return True
        return False

    def do_GET(self):
        if self.refused():
            return
        assert re.fullmatch(r"/repos/octo/repo/hooks/7/deliveries\?per_page=100(&cursor=\d+)?", self.path), self.path
        begin = int((re.search(r"cursor=(\d+)", self.path) or [0, 0])[1])
        with self.server.lock:
            page, more = self.server.attempts[begin:begin + 3], len(self.server.attempts) > begin + 3
        body = json.dumps(page)
        etag = f'"{hash(body) & 0xffffffff:x}"'
        if self.headers["If-None-Match"] == etag:
            self.server.unchanged += 1
            return self.answer(304)
        link = [("Link", f'<{self.server.url()}/repos/octo/repo/hooks/7/deliveries?per_page=100&cursor={begin + 3}>; rel="next"')]
        self.answer(200, body, [("ETag", etag)] + (link if more else []))

    def do_POST(self):
        if self.refused():
            return
        wanted = int(re.fullmatch(r"/repos/octo/repo/hooks/7/deliveries/(\d+)/attempts", self.path)[1])
        guid = next(one["guid"] for one in self.server.attempts if one["id"] == wanted)
        self.server.asked.append(guid)
        self.server.before_answer(len(self.server.asked))
        threading.Thread(target=self.server.deliver, args=(guid,), daemon=True).start()
        try:
            self.answer(202)
        except OSError:
            pass  # who asked was killed

    def log_message(self, *_):
        pass


class Redelivery(unittest.TestCase):
    def kept(self, daemon):
        return [row["uid"] for row in daemon.ctl("events", "list", "--source", "github", "-n", "100")["events"]]

    def test_what_was_missed_comes_once_though_the_daemon_is_killed_in_the_middle(self):
        hub = Hub()
        with Place(CONFIG.replace("@HUB@", hub.url())) as place:
            place.write("token", TOKEN)
            daemon = Daemon(place)
            hub.port = daemon.port
            early = [hub.deliver() for _ in range(2)]
            daemon.kill()
            missed = [hub.deliver() for _ in range(5)]
            self.assertEqual([one["status_code"] for one in hub.attempts[:5]], [0] * 5)

            killed = threading.Event()

            def kill_at_the_third(number):
                if number == 3:
                    hub.port = None
                    victim.kill()
                    killed.set()
            hub.before_answer = kill_at_the_third
            victim = Daemon(place)
            hub.port = victim.port
            wait_until("it is killed while it asks", killed.is_set)
            hub.before_answer = lambda number: None
            asked_before = len(hub.asked)
            self.assertEqual(asked_before, 3)
            self.assertEqual(hub.asked, missed[:3])  # the oldest first
            with sqlite3.connect(f"file:{place.state}/vigil.db?mode=ro", uri=True) as db:
                came = {uid for (uid,) in db.execute("SELECT uid FROM event WHERE source = 'github'")} & set(missed)

            with Daemon(place) as daemon:
                hub.port = daemon.port
                wait_until("all of it has come", lambda: len(self.kept(daemon)) == 7)
                self.assertEqual(sorted(self.kept(daemon)), sorted(early + missed))
                wait_until("nothing is left to ask", lambda: hub.unchanged >= 2)
                # Nothing that was here was asked for, neither what came early nor what came before the kill;
                # what was asked for and on its way when it was killed is asked for once more.
                self.assertFalse(set(hub.asked) & set(early))
                self.assertFalse(set(hub.asked[asked_before:]) & came, hub.asked)
                self.assertLessEqual(max(hub.asked.count(guid) for guid in missed), 2)
                self.assertNotIn("redelivery", [row["check"] for row in daemon.ctl("doctor")["checks"]])

                # The limits of the API: told, kept to, and then it goes on.
                hub.port = None
                late = hub.deliver()
                hub.limited = 1
                hub.port = daemon.port
                wait_until("it comes after the limit", lambda: late in self.kept(daemon))
                self.assertIn("missed deliveries cannot be asked for", daemon.log())
                self.assertEqual(len(self.kept(daemon)), 8)
                self.assertNotIn(TOKEN, daemon.log())

    def test_one_that_is_refused_again_and_again_is_given_up(self):
        hub = Hub()
        config = CONFIG.replace("@HUB@", hub.url()).replace('every = "1s"', 'every = "1s"\nattempts_max = 3')
        with Place(config) as place:
            place.write("token", TOKEN)
            with Daemon(place) as daemon:
                hub.port = None
                lost = hub.deliver()  # and nobody is there when it is sent again
                wait_until("it is asked for twice more", lambda: hub.asked == [lost] * 2 and len(hub.attempts) == 3)
                wait_until("and left alone", lambda: hub.unchanged >= 2)
                self.assertEqual(hub.asked, [lost] * 2)
                self.assertEqual(self.kept(daemon), [])


if __name__ == "__main__":
    unittest.main()
