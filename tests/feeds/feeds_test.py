#!/usr/bin/env python3
"""A feed over HTTP, a log that grows and rotates, a folder of dropped tables, a stream of trades: the daemon is killed again
and again while they are read, and in the end each entry, line and row was told once."""
import http.client
import http.server
import json
import os
import pathlib
import random
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from exchange import Exchange  # noqa: E402
from vigild import Daemon, Place, wait_until  # noqa: E402

CONFIG = """
[daemon]
safe_mode_starts = 0  # it is killed on purpose, often
drain_timeout = "2s"
[http]
listen = ["127.0.0.1:0"]
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
[source.news]
kind = "poll"
form = "feed"
url = "http://127.0.0.1:@HTTP@/feed.xml"
every = "1s"
[source.log]
kind = "file"
path = "@DIR@/logs/app.log"
every = "1s"
backfill = true
[source.inbox]
kind = "file"
path = "@DIR@/inbox"
names = ["*.csv"]
form = "table"
settle = "0s"
every = "1s"
backfill = true
[source.inbox.table]
columns = { symbol = "s", price = "p" }
[source.trades]
kind = "stream"
form = "binance"
url = "ws://127.0.0.1:@WS@/ws"
symbols = ["A"]
intervals = ["1s"]
lateness = "500ms"
[entity.listener]
kind = "rules"
[[entity.listener.on]]
source = "*"
[[entity.listener.rule]]
name = "note"
"""


class Feed(http.server.BaseHTTPRequestHandler):
    entries = 0
    unchanged = 0

    def do_GET(self):
        number = Feed.entries
        etag = f'"{number}"'
        if self.headers.get("If-None-Match") == etag:
            Feed.unchanged += 1
            self.send_response(304)
            self.end_headers()
            return
        items = "".join(f"<item><guid>g{at}</guid><title>Entry {at}</title></item>"
                        for at in range(number, max(0, number - 60), -1))
        body = f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode()
        self.send_response(200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Trades(Exchange):
    """Numbered trades, ten a second, whether somebody listens or not, and never one twice."""

    def __init__(self):
        super().__init__()
        self.ended = threading.Event()
        threading.Thread(target=self.count, daemon=True).start()

    def count(self):
        number = 0
        while not self.ended.wait(0.1):
            number += 1
            self.say({"e": "trade", "s": "A", "t": number, "p": "1.10", "q": "1",
                      "T": int(time.time() * 1000)})

    def close(self):
        self.ended.set()
        super().close()


class Told(unittest.TestCase):
    def test_each_thing_is_told_once_whatever_is_killed(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Feed)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        exchange = Trades()
        config = CONFIG.replace("@HTTP@", str(server.server_address[1])).replace("@WS@", str(exchange.port))
        with Place(config) as place:
            self.place = place
            (place.path / "logs").mkdir()
            (place.path / "inbox").mkdir()
            self.lines, self.rows = 0, 0
            with Daemon(place):  # the first look of the feed is silent
                wait_until("the feed was looked at", lambda: Feed.unchanged > 0)
            for round_number in range(6):
                daemon = Daemon(place)
                self.happen(rotate=round_number % 2 == 1)
                time.sleep(random.uniform(0.05, 1.2))  # anywhere in the work
                self.happen(rotate=False)
                if round_number == 3:  # from here on a restart has something to miss
                    wait_until("a bar was told", self.has_bar)
                daemon.kill()
            with Daemon(place):
                wait_until("everything was told", lambda: self.all_told())
                self.look_at_the_stream()
        exchange.close()
        server.shutdown()

    def happen(self, rotate):
        Feed.entries += 3
        log = self.place.path / "logs" / "app.log"
        if rotate:
            log.rename(log.with_suffix(f".{self.lines}"))
        with open(log, "a", encoding="utf-8") as file:
            for _ in range(20):
                self.lines += 1
                file.write(f"line {self.lines}\n")
                file.flush()
        name = f"{self.rows}.csv"
        self.rows += 5
        text = "s,p\n" + "".join(f"R{at},1.50\n" for at in range(self.rows - 5, self.rows))
        (self.place.path / "inbox" / (name + ".part")).write_text(text)
        (self.place.path / "inbox" / (name + ".part")).rename(self.place.path / "inbox" / name)

    def ask(self, path):
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.place.state / "admin.sock"))
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def events(self, source, payloads=False):
        """Of that source, oldest first."""
        found, before = [], ""
        while True:
            page = self.ask(f"/v1/events?source={source}&limit=500{before}")
            found += page["events"]
            if not page["next_before"]:
                break
            before = f"&before={page['next_before']}"
        found.reverse()
        return [self.ask(f"/v1/events/{event['id']}") for event in found] if payloads else found

    def all_told(self):
        self.news = [event["subject"] for event in self.events("news")]
        self.log = self.events("log")
        self.inbox = [event["subject"] for event in self.events("inbox")]
        if len(self.news) < Feed.entries or len(self.log) < self.lines or len(self.inbox) < self.rows:
            return False
        self.assertEqual(self.news, [f"Entry {at}" for at in range(1, Feed.entries + 1)])
        self.log = [event["data"]["text"] for event in self.events("log", payloads=True)]
        self.assertEqual(self.log, [f"line {at}" for at in range(1, self.lines + 1)])
        self.assertEqual(sorted(self.inbox), sorted(f"R{at}" for at in range(self.rows)))
        return True

    def has_bar(self):
        return any(event["type"] == "market.bar" for event in self.events("trades"))

    def look_at_the_stream(self):
        """Each trade of the numbers between the first and the last bar is in a bar, or is said to be missing."""
        def both():
            events = self.events("trades", payloads=True)
            self.bars = [event for event in events if event["type"] == "market.bar"]
            self.gaps = [event for event in events if event["type"] == "market.gap"]
            return len(self.bars) > 3 and any(gap["data"]["why"] == "restart" for gap in self.gaps)
        wait_until("bars and gaps", both)
        starts = [bar["data"]["time"] for bar in self.bars]
        self.assertEqual(len(starts), len(set(starts)), "a bar was told twice")
        self.assertTrue(all(bar["data"]["close"] == "1.1" for bar in self.bars))
        self.assertTrue(all(gap["data"]["missed"] > 0 for gap in self.gaps if gap["data"]["why"] == "restart"))


if __name__ == "__main__":
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    unittest.main(verbosity=2)
