#!/usr/bin/env python3
"""Slack and Telegram, with stand-ins for their servers: what is said is told once, what we say is said once, and what
nobody knows is called unknown; the daemon killed in the middle."""
import hashlib
import hmac
import itertools
import json
import pathlib
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from stand_in import StandIn  # noqa: E402
from vigild import Daemon, Place, wait_until  # noqa: E402

BASE = """
[daemon]
safe_mode_starts = 0  # it is killed on purpose, often
drain_timeout = "2s"
[http]
listen = ["127.0.0.1:0"]
"""
ECHO = """
[entity.echo]
kind = "rules"
autonomy = "act"
autonomy_of = { notify = "act" }
case_key = "{{event.data.id}}"
[[entity.echo.on]]
source = "heard"
types = ["chat.message"]
[[entity.echo.rule]]
name = "echo"
[[entity.echo.rule.action]]
sink = "chat"
payload = { text = "heard: {{event.data.text}}" }
"""
SLACK = BASE + ECHO + """
[source.heard]
kind = "webhook"
scheme = "slack"
secrets = ["file:@DIR@/signing"]
own_ids = ["B0OURS", "U0OURS"]
[sink.chat]
kind = "slack"
base_url = "@URL@/api"
token = "file:@DIR@/token"
channel = "C1"
timeout = "60s"
"""
TELEGRAM = BASE + ECHO + """
[source.heard]
kind = "telegram"
base_url = "@URL@"
token = "file:@DIR@/token"
chats = ["-100"]
wait = "1s"
[sink.chat]
kind = "telegram"
base_url = "@URL@"
token = "file:@DIR@/token"
chat = "-100"
"""
SIGNING, TOKEN = "signing-secret-of-slack", "4711:a-token-that-nobody-logs"


class World(Place):
    def __init__(self, config, server):
        super().__init__(config.replace("@URL@", server.url))
        self.write("signing", SIGNING)
        self.write("token", TOKEN)


def told(daemon):
    """Texts of the messages that are events, oldest first."""
    listed = daemon.ctl("events", "list", "--type", "chat.message", "-n", "500")["events"]
    return [daemon.ctl("events", "show", one["id"])["data"]["text"] for one in reversed(listed)]


def states(daemon):
    return sorted(one["state"] for one in daemon.ctl("actions", "list")["actions"])


def settled(daemon, count):
    wait_until("all is done", lambda: len(states(daemon)) == count and
               not {"approved", "sending", "proposed"} & set(states(daemon)))
    return states(daemon)


def slack_says(daemon, payload, headers=None):
    body, stamp = json.dumps(payload).encode(), str(int(time.time()))
    proof = hmac.new(SIGNING.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    status, _, answer = daemon.request("POST", "/hooks/heard", body, {
        "Content-Type": "application/json", "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + proof,
        **(headers or {})})
    return status, json.loads(answer)


def slack_message(number, user="U1", **more):
    event = {"type": "message", "channel": "C1", "channel_type": "channel", "user": user, "ts": f"17{number:08}.0001",
             "text": f"message {number}", **more}
    return {"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": f"Ev{number}", "event": event}


class Slack(unittest.TestCase):
    def setUp(self):
        self.open = threading.Event()
        self.open.set()
        self.result = (200, {"ok": True, "ts": "1.1"})
        self.server = StandIn(self.answer)

    def tearDown(self):
        self.open.set()
        self.server.__exit__()

    def answer(self, *_):
        self.open.wait(60)
        return self.result

    def said(self):
        return [one["text"] for one in self.server.bodies("/api/chat.postMessage")]

    def test_what_is_said_is_told_once_and_answered_before_anything_follows(self):
        self.open.clear()  # Slack's own API is slow: it must not matter to what Slack waits for
        with World(SLACK, self.server) as world, Daemon(world) as daemon:
            status, answer = slack_says(daemon, {"type": "url_verification", "challenge": "abc"})
            self.assertEqual((status, answer["challenge"]), (200, "abc"))
            self.assertEqual(slack_says(daemon, slack_message(1))[0], 202)
            wait_until("it is being said", self.said)
            retry = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
            self.assertEqual(slack_says(daemon, slack_message(1), retry), (200, {"status": "duplicate", "id": 1}))
            mention = slack_message(1)
            mention["event"]["type"], mention["event_id"] = "app_mention", "Ev1b"
            self.assertEqual(slack_says(daemon, mention)[1]["status"], "duplicate")
            for own in (slack_message(2, user="U0OURS"), slack_message(3, user="", bot_id="B0OURS")):
                self.assertLess(slack_says(daemon, own)[0], 300)
            self.assertEqual(slack_says(daemon, slack_message(4), {"X-Slack-Signature": "v0=" + "0" * 64})[0], 401)
            self.open.set()
            self.assertEqual(settled(daemon, 1), ["delivered"])
            self.assertEqual(told(daemon), ["message 1"])
            self.assertEqual(self.said(), ["heard: message 1"])
            self.assertEqual(self.server.asked[0]["authorization"], "Bearer " + TOKEN)
            self.assertNotIn(TOKEN, daemon.log())

    def test_killed_while_slack_has_not_answered_it_is_unknown_and_not_said_again(self):
        self.open.clear()
        with World(SLACK, self.server) as world:
            with Daemon(world) as daemon:
                slack_says(daemon, slack_message(1))
                wait_until("it is being said", self.said)
                daemon.kill()
            self.open.set()
            with Daemon(world) as daemon:
                self.assertEqual(settled(daemon, 1), ["unknown"])
                self.assertEqual(slack_says(daemon, slack_message(1))[1]["status"], "duplicate")
                slack_says(daemon, slack_message(2))
                self.assertEqual(settled(daemon, 2), ["delivered", "unknown"])
                self.assertEqual(self.said(), ["heard: message 1", "heard: message 2"])

    def test_what_slack_may_have_done_is_not_done_again_and_what_it_did_not_is(self):
        with World(SLACK, self.server) as world, Daemon(world) as daemon:
            self.result = None  # hangs up
            slack_says(daemon, slack_message(1))
            self.assertEqual(settled(daemon, 1), ["unknown"])
            self.result = (200, {"ok": False, "error": "internal_error"})  # part of it may have happened
            slack_says(daemon, slack_message(2))
            self.assertEqual(settled(daemon, 2), ["unknown", "unknown"])
            self.result = (200, {"ok": False, "error": "channel_not_found"})
            slack_says(daemon, slack_message(3))
            self.assertEqual(settled(daemon, 3), ["failed", "unknown", "unknown"])
            self.result = (200, {"ok": False, "error": "ratelimited"})
            slack_says(daemon, slack_message(4))
            wait_until("it is tried", lambda: len(self.said()) == 4)
            self.result = (200, {"ok": True, "ts": "1.2"})
            self.assertEqual(settled(daemon, 4), ["delivered", "failed", "unknown", "unknown"])
            self.assertEqual(self.said().count("heard: message 4"), 2)


class TelegramServer(StandIn):
    """Keeps updates until it is told, by a later offset, that they were read."""

    def __init__(self):
        self.updates, self.numbers, self.results = [], itertools.count(1000), []
        super().__init__(self.telegram)

    def telegram(self, _, path, query, body):
        if not path.startswith(f"/bot{TOKEN}/"):
            return 401, {"ok": False, "description": "Unauthorized"}
        if path.endswith("/sendMessage"):
            if self.results:
                return self.results.pop(0)
            return 200, {"ok": True, "result": {"message_id": 7}}
        until = time.monotonic() + int(query["timeout"])
        while True:
            with self.lock:
                self.updates = [one for one in self.updates if one["update_id"] >= int(query["offset"])]
                if self.updates or time.monotonic() > until:
                    return 200, {"ok": True, "result": self.updates[:int(query["limit"])]}
            time.sleep(0.02)

    def say(self, text, user=1, chat=-100, bot=False):
        number = next(self.numbers)
        with self.lock:
            self.updates.append({"update_id": number, "message": {
                "message_id": number, "date": 1_700_000_000, "text": text, "chat": {"id": chat, "type": "group"},
                "from": {"id": user, "first_name": "Bob", "is_bot": bot}}})

    def said(self):
        return [one["text"] for one in self.bodies(f"/bot{TOKEN}/sendMessage")]


class Telegram(unittest.TestCase):
    def test_what_is_said_is_told_once_though_the_daemon_is_killed_and_nothing_of_our_own(self):
        with TelegramServer() as server, World(TELEGRAM, server) as world:
            wanted = []
            for round_ in range(3):
                daemon = Daemon(world)
                texts = [f"{round_}.{i}" for i in range(5)]
                for text in texts:
                    server.say(text)
                server.say("our own", user=4711, bot=True)
                server.say("of another chat", chat=-200)
                wanted += texts
                wait_until("some are told", lambda: len(told(daemon)) > len(wanted) - 5)
                daemon.kill()
            with Daemon(world) as daemon:
                wait_until("all are told", lambda: len(told(daemon)) >= len(wanted))
                wait_until("Telegram knows it", lambda: not server.updates)
                self.assertEqual(told(daemon), wanted)
                done = settled(daemon, len(wanted))
                # What was on its way when the daemon was killed nobody knows; nothing is said twice.
                self.assertLessEqual(set(done), {"delivered", "unknown"})
                said = server.said()
                self.assertEqual(len(said), len(set(said)))
                self.assertGreaterEqual(len(said), done.count("delivered"))
                self.assertNotIn(TOKEN, daemon.log())

    def test_telegram_is_left_alone_when_it_asks_for_it_and_believed_when_it_refuses(self):
        with TelegramServer() as server, World(TELEGRAM, server) as world, Daemon(world) as daemon:
            server.results = [(429, {"ok": False, "description": "slow down", "parameters": {"retry_after": 1}})]
            server.say("one")
            self.assertEqual(settled(daemon, 1), ["delivered"])
            self.assertEqual(server.said(), ["heard: one"] * 2)
            server.results = [(400, {"ok": False, "description": "chat not found"})]
            server.say("two")
            self.assertEqual(settled(daemon, 2), ["delivered", "failed"])
            server.results = [None]
            server.say("three")
            self.assertEqual(settled(daemon, 3), ["delivered", "failed", "unknown"])
            server.results = [(502, {"ok": False, "description": "Bad Gateway"})]  # a proxy's: it may be there
            server.say("four")
            self.assertEqual(settled(daemon, 4), ["delivered", "failed", "unknown", "unknown"])
            self.assertEqual(server.said().count("heard: four"), 1)


if __name__ == "__main__":
    unittest.main()
