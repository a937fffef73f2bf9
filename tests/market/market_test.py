#!/usr/bin/env python3
"""From what an exchange, a price list, a chart and a file say to what a person is told: real daemons, killed in the
middle, and in the end each alert was told once."""
import collections
import datetime
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
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from exchange import Exchange  # noqa: E402
from vigild import Daemon, Place, wait_until  # noqa: E402

BASE = """
[daemon]
safe_mode_starts = 0  # it is killed on purpose, often
drain_timeout = "2s"
[http]
listen = ["127.0.0.1:0"]
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
[sink.desk]
kind = "file"
path = "@DIR@/desk.jsonl"
[sink.phone]
kind = "http"
url = "http://127.0.0.1:@HTTP@/phone"
"""
KILLED = BASE + """
[source.binance]
kind = "stream"
form = "binance"
url = "ws://127.0.0.1:@WS@/ws"
symbols = ["BTCUSDT", "ETHUSDT"]
intervals = ["1s"]
lateness = "2s"
refetch = "http://127.0.0.1:@HTTP@/trades?symbol={symbol}&fromId={from}"
[source.list]
kind = "poll"
form = "table"
url = "http://127.0.0.1:@HTTP@/list.csv"
every = "1s"
backfill = true
[source.list.table]
delimiter = ";"
decimal_comma = true
columns = { symbol = "Name", price = "Kurs", time = "Zeit" }
[source.other]
kind = "poll"
form = "table"
url = "http://127.0.0.1:@HTTP@/other.json"
every = "1s"
backfill = true
[source.other.table]
format = "json"
items = "data.rows"
columns = { symbol = "s", bid = "b", ask = "a", time = "t" }
[source.chart]
kind = "webhook"
scheme = "tradingview"
secrets = ["file:@DIR@/secret.chart"]
[source.candles]
kind = "file"
path = "@DIR@/candles.csv"
form = "table"
backfill = true
every = "1s"
[source.candles.table]
header = false
columns = { time = "1", open = "2", high = "3", low = "4", close = "5", volume = "6" }
symbol = "FUND"
interval = "1m"
[source.news]
kind = "poll"
form = "feed"
url = "http://127.0.0.1:@HTTP@/news.xml"
every = "1s"
backfill = true
[entity.desk]
kind = "market"
autonomy = "propose"
autonomy_of = { notify = "act" }
[[entity.desk.on]]
source = "*"
[entity.desk.market]
report_sink = "desk"
investigate = false
[[entity.desk.market.watch]]
name = "btc"
symbol = "BTCUSDT"
[[entity.desk.market.watch]]
name = "eth"
symbol = "ETHUSDT"
sources = ["binance", "other"]
jump_max = 10
[[entity.desk.market.watch]]
name = "gold"
[[entity.desk.market.watch]]
name = "acme"
symbol = "ACME"
[[entity.desk.market.watch]]
name = "fund"
symbol = "FUND"
[[entity.desk.market.rule]]
name = "fall"
watch = ["btc"]
when = ["close falls 5% within 1h"]
clear = 2
[[entity.desk.market.rule]]
name = "apart"
watch = ["eth"]
when = ["spread above 3"]
[[entity.desk.market.rule]]
name = "far"
watch = ["eth"]
when = ["close above 1000"]
[[entity.desk.market.rule]]
name = "level"
watch = ["gold"]
when = ["close above 100"]
clear = 1
[[entity.desk.market.rule]]
name = "call"
watch = ["acme"]
when = ['signal "buy"']
[[entity.desk.market.rule]]
name = "turn"
watch = ["fund"]
when = ["close crosses above 50"]
clear = 2
[entity.mobile]
kind = "market"
autonomy = "propose"
autonomy_of = { notify = "act" }
[[entity.mobile.on]]
source = "list"
[[entity.mobile.on]]
source = "news"
[entity.mobile.market]
report_sink = "phone"
[[entity.mobile.market.watch]]
name = "gold"
words = ["bullion"]
[[entity.mobile.market.rule]]
name = "level"
when = ["close above 100"]
clear = 1
"""

TIMED = BASE + """
[source.list]
kind = "poll"
form = "table"
url = "http://127.0.0.1:@HTTP@/list.csv"
every = "1s"
backfill = true
[source.list.table]
columns = { symbol = "s", price = "p" }
[entity.desk]
kind = "market"
autonomy = "propose"
autonomy_of = { notify = "act" }
[[entity.desk.on]]
source = "list"
[entity.desk.market]
report_sink = "desk"
digest = ["open", "close"]
[[entity.desk.market.watch]]
name = "gold"
session = "ends"
stale_after = "20s"
[[entity.desk.market.watch]]
name = "silver"
session = "begins"
[[entity.desk.market.session]]
name = "ends"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
open = "@BEFORE@"
close = "@SOON@"
[[entity.desk.market.session]]
name = "begins"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
open = "@SOON@"
close = "@LATER@"
"""
HELD = """
[entity.desk.market.holdings]
file = "@DIR@/holdings.csv"
every = "1m"
drawdown_above = 10
"""


def text_of(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


class World(http.server.BaseHTTPRequestHandler):
    """Everything that is asked for over HTTP, and the phone."""
    protocol_version = "HTTP/1.1"
    documents = {}
    trades = []  # of the exchange, those that can be asked for again
    asked = []   # which of them were
    heard = collections.defaultdict(list)  # key of an action -> what was said with it

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        where = urllib.parse.urlsplit(self.path)
        if where.path != "/trades":
            return self.answer(World.documents.get(where.path, "").encode())
        asked = urllib.parse.parse_qs(where.query)
        first = int(asked["fromId"][0])
        World.asked.append(first)
        found = [{"id": one["t"], "price": one["p"], "qty": one["q"], "time": one["T"]}
                 for one in World.trades if one["s"] == asked["symbol"][0] and one["t"] >= first]
        return self.answer(json.dumps(found[:1000]).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        World.heard[self.headers["webhook-id"]].append(json.loads(body))
        self.answer(b"{}")

    def log_message(self, *_):
        pass


class Story(unittest.TestCase):
    """What both stories need."""

    def setUp(self):
        World.documents, World.trades, World.asked = {}, [], []
        World.heard = collections.defaultdict(list)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), World)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def ask(self, path):
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.place.state / "admin.sock"))
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def events(self, source, kind=""):
        found = self.ask(f"/v1/events?source={source}&limit=500")["events"]
        return [event for event in found if event["type"].startswith(kind)]

    def told(self):
        """What the desk was told, oldest first."""
        path = self.place.path / "desk.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["payload"] for line in lines]

    def alerts(self, rule):
        return [one["alert"] for one in self.told() if one.get("alert", {}).get("rule") == rule]


class Killed(Story):
    def setUp(self):
        super().setUp()
        self.exchange = Exchange()
        self.addCleanup(self.exchange.close)
        self.start = now() - datetime.timedelta(minutes=20)
        self.numbers = collections.Counter()
        self.minute = 0
        self.calls = []
        self.rows = collections.Counter()

    def test_what_is_heard_becomes_one_alert_each_whatever_is_killed(self):
        self.price("list", "gold", "99,00")
        self.price("other", "ETHUSDT", "500")
        World.documents["/news.xml"] = "<rss version='2.0'><channel><title>T</title></channel></rss>"
        config = (KILLED.replace("@HTTP@", str(self.server.server_address[1]))
                  .replace("@WS@", str(self.exchange.port)))
        with Place(config) as place:
            self.place = place
            place.write("secret.chart", "a-long-secret-of-a-chart-0123456789")
            for round_number in range(5):
                daemon = Daemon(place)
                self.happen(daemon, round_number)
                time.sleep(random.uniform(0.05, 1.5))  # anywhere in the work
                daemon.kill()
                self.happen_unheard(round_number)
            with Daemon(place) as daemon:
                self.happen(daemon, 5)
                self.look(daemon)

    # ---- what happens
    def trade(self, symbol, second, price, said=True, kept=True):
        self.numbers[symbol] += 1
        at = self.start + datetime.timedelta(seconds=second)
        one = {"e": "trade", "s": symbol, "t": self.numbers[symbol], "p": price, "q": "1",
               "T": int(at.timestamp() * 1000)}
        if kept:
            World.trades.append(one)
        return said and self.exchange.say(one)

    def price(self, source, symbol, price):
        self.rows[source] += 1
        at = text_of(self.start + datetime.timedelta(seconds=60 * self.rows[source]))
        if source == "list":
            World.documents["/list.csv"] = f"Name;Kurs;Zeit\n{symbol};{price};{at}\n"
        else:
            row = {"s": symbol, "b": float(price) - 0.5, "a": float(price) + 0.5, "t": at}
            World.documents["/other.json"] = json.dumps({"data": {"rows": [row]}})

    def candles(self, closes):
        with open(self.place.path / "candles.csv", "a", encoding="utf-8") as file:
            for close in closes:
                at = text_of(self.start + datetime.timedelta(minutes=self.minute - 600))
                self.minute += 1
                file.write(f"{at},{close},{close},{close},{close},10\n")

    def call(self, daemon, body, kind):
        status, _, _ = daemon.request("POST", "/hooks/chart/a-long-secret-of-a-chart-0123456789", body.encode(),
                                      {"Content-Type": kind})
        self.assertEqual(status, 202)

    def happen(self, daemon, at):
        wait_until("it listens", lambda: self.exchange.connections)
        gold = ["99,00", "101,00", "99,50", "102,00", "98,00", "1.101,50"][at]  # two alerts: 1 and 5
        if at:
            self.price("list", "gold", gold)
        wait_until("the list was read", lambda: len(self.events("list")) >= at + 1)
        self.call(daemon, json.dumps({"ticker": "ACME", "time": text_of(self.start + datetime.timedelta(hours=at)),
                                      "price": 12.5, "action": "buy"}), "application/json")
        # 100, then a fall of 6 % in round 1; the way back in 3; another fall while nobody listens.
        btc = ["100", "94", "94.5", "99", "93", "93"][at]
        for step in range(4):
            self.assertTrue(self.trade("BTCUSDT", 10 * at + step, btc))
        # A hole in the numbers that can be filled.
        self.trade("BTCUSDT", 10 * at + 4, btc, said=False)
        self.assertTrue(self.trade("BTCUSDT", 10 * at + 5, btc))
        if at == 0:  # who never told anything has nothing to go on from
            wait_until("a bar was told", lambda: self.events("binance", "market.bar"))
        if at in (1, 3):
            came = len(self.exchange.greetings)
            self.exchange.hang_up()
            wait_until("it came again", lambda: len(self.exchange.greetings) > came)
        self.candles([40, 60] if at % 2 else [60])

    def happen_unheard(self, at):
        """While no daemon runs: what the exchange and the file keep is read later."""
        self.trade("BTCUSDT", 10 * at + 8, "97.5" if at == 0 else "95", said=False)
        self.candles([45, 55, 49.5, 51, 44])

    # ---- what came of it
    def look(self, daemon):
        expected = self.turns()
        wait_until("the turns of the file", lambda: len(self.alerts("turn")) >= len(expected))
        wait_until("the falls", lambda: len(self.alerts("fall")) >= 2)
        wait_until("the levels", lambda: len(self.alerts("level")) >= 2)
        wait_until("the calls", lambda: len(self.alerts("call")) >= 6)
        wait_until("the phone", lambda: len(self.phoned()) >= 2)
        self.look_at_two_sources(daemon)
        daemon.settle()
        self.assertEqual([alert["at"] for alert in self.alerts("turn")], expected)
        self.assertEqual([alert["price"] for alert in self.alerts("fall")], ["94", "95"])
        self.assertEqual([alert["price"] for alert in self.alerts("level")], ["101", "1101.5"])
        self.assertEqual([alert["price"] for alert in self.alerts("call")], ["12.5"] * 6)
        ids = collections.Counter(one["watch"] + one["alert"]["id"] for one in self.told())
        self.assertEqual([one for one, times in ids.items() if times > 1], [])
        for payloads in self.phoned().values():
            self.assertEqual(len(payloads), 1, payloads)
        self.look_at_the_stream()

    def turns(self):
        """When the closes of the file cross above 50, having been at least 2 % below."""
        armed, out = False, []
        for line in (self.place.path / "candles.csv").read_text().splitlines():
            at, close = line.split(",")[0], float(line.split(",")[4])
            if close > 50 and armed:
                end = datetime.datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ") + datetime.timedelta(minutes=1)
                out.append(end.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
            armed = armed and close <= 50 or close <= 49
        return out

    def phoned(self):
        """Alerts that the phone was told, by watch and id, each with the payloads of different actions."""
        out = collections.defaultdict(list)
        for said in World.heard.values():
            self.assertTrue(all(one == said[0] for one in said))  # again: the same key, the same words
            if "found" not in said[0]:
                out[said[0]["alert"]["id"]].append(said[0])
        return out

    def look_at_two_sources(self, daemon):
        """A price out of all bounds is held, and counts when the other source has said the same."""
        for second, price in ((0, "500"), (1, "501"), (2, "5000"), (3, "502"), (8, "502")):
            self.trade("ETHUSDT", 300 + second, price)
        why = lambda: " ".join(one["why"] for one in self.ask("/v1/decisions?entity=desk&limit=200")["decisions"])
        wait_until("it is held", lambda: "held until it is confirmed" in why())
        wait_until("it is given up", lambda: "5000 was not confirmed and is not counted" in why())
        self.assertEqual(self.alerts("far"), [])
        self.price("other", "ETHUSDT", "530")
        wait_until("the other source", lambda: len(self.events("other")) >= 2)
        for second in (10, 11, 16):
            self.trade("ETHUSDT", 300 + second, "502")
        wait_until("they are apart", lambda: self.alerts("apart"))
        self.assertEqual(len(self.alerts("apart")), 1)
        self.price("other", "ETHUSDT", "1200")
        wait_until("the other source", lambda: len(self.events("other")) >= 3)
        for second in (20, 25):
            self.trade("ETHUSDT", 300 + second, "1201")
        wait_until("it counts", lambda: self.alerts("far"))
        self.assertIn("1201", self.alerts("far")[0]["what"])

    def look_at_the_stream(self):
        self.assertGreater(len(World.asked), 0, "missed trades were never asked for")
        bars = [self.ask(f"/v1/events/{event['id']}")["data"] for event in self.events("binance", "market.bar")]
        btc = [bar for bar in bars if bar["symbol"] == "BTCUSDT"]
        self.assertEqual(len({bar["time"] for bar in btc}), len(btc), "a bar was told twice")
        gaps = [self.ask(f"/v1/events/{event['id']}")["data"] for event in self.events("binance", "market.gap")]
        # Each trade is in a bar, or is said to be missing.
        missed = sum(gap.get("missed", 0) for gap in gaps if gap["symbol"] == "BTCUSDT")
        self.assertEqual(sum(bar["trades"] for bar in btc) + missed, self.numbers["BTCUSDT"])


class Timed(Story):
    """What comes by the clock: in real minutes, as a session and a timer have no shorter ones."""

    def test_silence_a_drawdown_and_the_ends_of_a_session_are_told_once(self):
        minute = lambda hours, minutes: (now() + datetime.timedelta(hours=hours, minutes=minutes)).strftime("%H:%M")
        config = (TIMED.replace("@HTTP@", str(self.server.server_address[1])).replace("@BEFORE@", minute(-2, 0))
                  .replace("@SOON@", minute(0, 2)).replace("@LATER@", minute(6, 0)))
        World.documents["/list.csv"] = "s,p\ngold,100\nsilver,20\n"
        with Place(config) as place:
            self.place = place
            place.write("holdings.csv", "symbol,quantity\ngold,1.5\nsilver,10\n")
            with Daemon(place):
                wait_until("both prices", lambda: len(self.events("list")) >= 2)
            place.configure(config + HELD)
            daemon = Daemon(place)
            wait_until("it is valued", lambda: self.whys("2 positions are worth 350,"))
            World.documents["/list.csv"] = "s,p\ngold,76\nsilver,20\n"  # 36 of 350: more than a tenth
            wait_until("the fall", lambda: len(self.events("list")) >= 3)
            time.sleep(random.uniform(0, 30))
            daemon.kill()
            with Daemon(place):
                for what, words in (("the drawdown", "holdings: 314 is 10.29% below the highest value 350"),
                                    ("silence", "gold: nothing was heard from list since"),
                                    ("the close", "ends closes"), ("the open", "begins opens")):
                    wait_until(what, lambda: self.texts(words), patience=200)
            with Daemon(place) as daemon:  # and never again
                daemon.settle()
                for words in ("holdings: ", "nothing was heard", "ends closes", "begins opens"):
                    self.assertEqual(len(self.texts(words)), 1, self.texts(words))
                self.assertIn("- gold: 76,", self.texts("ends closes")[0])
                self.assertIn("- silver: 20,", self.texts("begins opens")[0])

    def texts(self, words):
        return [one["text"] for one in self.told() if words in one["text"]]

    def whys(self, words):
        return [one for one in self.ask("/v1/decisions?entity=desk&limit=200")["decisions"] if words in one["why"]]


if __name__ == "__main__":
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    unittest.main(verbosity=2)
