#!/usr/bin/env python3
"""Proposals answered from outside: a signed link in a browser, a command in a chat, always like this."""
import hashlib
import hmac
import json
import pathlib
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import BIN, Daemon, Place, SECRET, run_ctl, wait_until  # noqa: E402

CONFIG = """
[daemon]
safe_mode_starts = 0
[http]
listen = ["127.0.0.1:0"]
[approvals]
tell_sink = "phone"
link_url = "https://guard.example.org"
link_secret = "file:@DIR@/secret"
preference_after = 2
slack_from = ["U7"]
github_from = ["ann"]
[source.chat]
kind = "webhook"
scheme = "slack"
secrets = ["file:@DIR@/secret"]
[source.github]
kind = "webhook"
scheme = "github"
secrets = ["file:@DIR@/secret"]
[sink.phone]
kind = "file"
path = "@DIR@/phone.jsonl"
[sink.out]
kind = "file"
path = "@DIR@/out.jsonl"
[entity.clerk]
kind = "rules"
autonomy = "propose"
case_key = "{{event.subject}}"
[[entity.clerk.on]]
source = "*"
types = ["note.*"]
[[entity.clerk.rule]]
name = "write-down"
[[entity.clerk.rule.action]]
sink = "out"
payload = { text = "{{event.data.text}}", shelf = "{{event.data.shelf}}" }
"""
LEFT = ("approved", "sending", "delivered")  # without a person


def lines_of(place, name):
    file = place.path / name
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def written(place):
    return [line["payload"]["text"] for line in lines_of(place, "out.jsonl")]


def propose(daemon, text, shelf="oak"):
    """Emits a note and gives back the number of the proposal it led to."""
    before = {one["id"] for one in daemon.ctl("actions", "list")["actions"]}
    daemon.ctl("events", "emit", "--type", "note.made", "--subject", text, "--data",
               json.dumps({"text": text, "shelf": shelf}))
    daemon.settle()
    return next(one for one in daemon.ctl("actions", "list")["actions"]
                if one["id"] not in before and one["sink"] == "out")


def link_of(daemon, action):
    told = wait_until("somebody is told", lambda: next(
        (line for line in lines_of(daemon.place, "phone.jsonl")
         if line["payload"]["action"] == action), None))
    assert told["kind"] == "proposal", told
    link = told["payload"]["link"]
    assert link.startswith("https://guard.example.org/approvals/"), link
    assert link in told["payload"]["text"], told
    return link.removeprefix("https://guard.example.org")


def say_in_chat(daemon, user, text, ts):
    body = json.dumps({
        "type": "event_callback", "team_id": "T1", "event_id": f"Ev{ts}", "api_app_id": "A1",
        "event": {"type": "message", "channel": "C1", "channel_type": "channel", "user": user,
                  "text": text, "ts": ts}}).encode()
    now = str(int(time.time()))
    proof = hmac.new(SECRET, b"v0:" + now.encode() + b":" + body, hashlib.sha256).hexdigest()
    status, _, answer = daemon.request("POST", "/hooks/chat", body, {
        "Content-Type": "application/json", "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": "v0=" + proof})
    assert status in (200, 202), (status, answer)
    daemon.settle()


class Approvals(unittest.TestCase):
    def setUp(self):
        self.place = Place(CONFIG)
        self.addCleanup(self.place.__exit__)

    def test_a_link_shows_then_answers_once_and_survives_a_kill(self):
        with Daemon(self.place) as daemon:
            action = propose(daemon, "<script>alert(1)</script>")
            link = link_of(daemon, action["id"])
            status, headers, page = daemon.request("GET", link)
            self.assertEqual(status, 200)
            self.assertIn("append a line to", page.decode())
            self.assertNotIn("<script>", page.decode())
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            self.assertEqual(daemon.request("HEAD", link)[0], 405)
            daemon.settle()
            self.assertEqual(daemon.ctl("actions", "show", action["id"])["state"], "proposed")
            self.assertEqual(daemon.request("POST", link, "answer=maybe")[0], 400)
            self.assertEqual(daemon.request("POST", link[:-1] + "x", "answer=approve")[0], 404)
            other = propose(daemon, "another")
            stolen = link.replace(f"/{action['id']}?", f"/{other['id']}?")
            self.assertEqual(daemon.request("POST", stolen, "answer=approve")[0], 404)
            self.assertEqual(daemon.request("POST", link, "answer=approve")[0], 200)
            daemon.kill()
        with Daemon(self.place) as daemon:
            wait_until("it is delivered", lambda: written(self.place))
            self.assertEqual(daemon.request("POST", link, "answer=approve")[0], 409)
            self.assertEqual(daemon.request("POST", link, "answer=deny")[0], 409)
            daemon.settle()
            shown = daemon.ctl("actions", "show", action["id"])
            self.assertEqual((shown["state"], shown["answered_by"]), ("delivered", "link"))
            self.assertEqual(written(self.place), ["<script>alert(1)</script>"])
            page = daemon.ctl_text("actions", "show", other["id"])
            self.assertIn("append a line to", page)
            self.assertIn("--always-like-this", page)

    def test_a_command_in_a_chat_counts_from_those_who_are_named(self):
        with Daemon(self.place) as daemon:
            yes, no = propose(daemon, "yes")["id"], propose(daemon, "no")["id"]
            say_in_chat(daemon, "U8", f"/approve {yes}", "1.1")
            self.assertEqual(daemon.ctl("actions", "show", yes)["state"], "proposed")
            say_in_chat(daemon, "U7", f"approve {yes}\ndeny {no} too loud", "1.2")
            wait_until("it is delivered", lambda: written(self.place) == ["yes"])
            shown = daemon.ctl("actions", "show", no)
            self.assertEqual((shown["state"], shown["answered_by"]), ("denied", "slack U7"))
            self.assertEqual(shown["result"]["note"], "too loud")

    def test_a_command_in_a_comment_counts_from_those_who_are_named(self):
        def comment(text, author="ann", sender=None, action="created"):
            status, _ = daemon.post_github({
                "action": action, "issue": {"number": 1, "pull_request": {}}, "comment": {"body": text, "user": {"login": author}},
                "repository": {"full_name": "o/r"}, "sender": {"login": sender or author}}, "issue_comment")
            self.assertEqual(status, 202)
            daemon.settle()

        def state(one):
            return daemon.ctl("actions", "show", one["id"])["state"]
        with Daemon(self.place) as daemon:
            one, other = propose(daemon, "first"), propose(daemon, "second", "ash")
            comment(f"/approve {one['id']}", author="mallory")
            comment(f"/approve {one['id']}", sender="mallory")  # somebody else edits or sends it
            comment(f"/approve {one['id']}", action="edited")
            comment(f"I would not /approve {one['id']}\n> /approve {one['id']}")
            self.assertEqual([state(one), state(other)], ["proposed"] * 2)
            comment(f"Fine.\r\n/approve {one['id']}\r\n/deny {other['id']} not on that shelf\r\n")
            wait_until("it is written", lambda: written(self.place) == ["first"])
            self.assertEqual(state(other), "denied")
            told = daemon.ctl_text("audit") + daemon.ctl_text("actions", "show", str(other["id"]))
            self.assertIn("github ann", told)
            self.assertIn("not on that shelf", told)

    def test_always_like_this_is_bounded_by_likeness_and_taken_back(self):
        with Daemon(self.place) as daemon:
            said = daemon.ctl_text("actions", "approve", propose(daemon, "one")["id"],
                                   "--always-like-this")
            self.assertIn(propose(daemon, "two")["state"], LEFT)
            self.assertEqual(propose(daemon, "three", shelf="elm")["state"], "proposed")
            forget = next(line for line in said.splitlines() if "memory forget" in line).split()
            self.assertEqual(run_ctl(self.place, *forget[forget.index("memory"):]).returncode, 0)
            self.assertEqual(propose(daemon, "four")["state"], "proposed")

    def test_after_a_run_of_approvals_the_preference_is_proposed(self):
        with Daemon(self.place) as daemon:
            first = daemon.ctl("actions", "approve", propose(daemon, "one")["id"])
            self.assertNotIn("proposed", first)
            second = daemon.ctl("actions", "approve", propose(daemon, "two")["id"])
            asked = daemon.ctl("actions", "show", second["proposed"])
            self.assertEqual((asked["kind"], asked["state"]), ("preference", "proposed"))
            self.assertIn("notify to out with shelf oak", asked["says"])
            daemon.ctl("actions", "approve", asked["id"])
            self.assertIn(propose(daemon, "three")["state"], LEFT)
            wait_until("all are written",
                       lambda: sorted(written(self.place)) == ["one", "three", "two"])

    def test_an_agent_may_look_and_answer_nothing(self):
        with Daemon(self.place) as daemon:
            action = propose(daemon, "one")
            calls = [{"method": "initialize", "params": {"protocolVersion": "2025-06-18"}},
                     {"method": "tools/call", "params": {"name": "proposals"}},
                     {"method": "tools/call",
                      "params": {"name": "action", "arguments": {"action": action["id"]}}},
                     {"method": "tools/call", "params": {"name": "approve"}}]
            said = subprocess.run(
                [str(BIN / "vigilctl"), "--socket", str(self.place.state / "admin.sock"), "mcp"],
                input="".join(json.dumps({"jsonrpc": "2.0", "id": number, **call}) + "\n"
                              for number, call in enumerate(calls)),
                capture_output=True, text=True, timeout=60, check=True).stdout
            answers = [json.loads(line) for line in said.splitlines()]
            self.assertEqual([answer["id"] for answer in answers], [0, 1, 2, 3])
            waiting = answers[1]["result"]["structuredContent"]["actions"]
            self.assertEqual([one["id"] for one in waiting], [action["id"]])
            self.assertIn("append a line to", answers[2]["result"]["structuredContent"]["would"])
            self.assertEqual(answers[3]["error"]["code"], -32602)
            self.assertEqual(daemon.ctl("actions", "show", action["id"])["state"], "proposed")


if __name__ == "__main__":
    unittest.main()
