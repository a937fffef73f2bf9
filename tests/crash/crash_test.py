#!/usr/bin/env python3
"""Kills the daemon at random moments under mixed load, again and again, and looks at what is left.

The load: signed webhooks, firings of a schedule, debounced and timed wakes, swarms of three tasks, actions of
three kinds of sink, and callers of the admin socket that emit events, set facts, approve proposals and read.
Holds: what was acknowledged is there, no wake is decided twice, no firing or timer is told twice, what may not
be repeated was done at most once and what counts as delivered was, no child outlives the daemon, the
database is whole. Usage: crash_test.py [CYCLES] [SEED], or VIGIL_CRASH_CYCLES; prints one JSON line.
"""
import collections
import http.client
import http.server
import json
import os
import pathlib
import random
import socket
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import Daemon, Place, signature, wait_until  # noqa: E402

MARK = f"vigild-crash-{os.getpid()}"

CONFIG = """
[daemon]
safe_mode_starts = 0  # it is killed on purpose, often
[http]
listen = ["127.0.0.1:0"]
[source.github]
kind = "webhook"
scheme = "github"
secrets = ["file:@DIR@/secret"]
[source.clock]
kind = "schedule"
every = "1s"
misfire = "run_all"
[sink.out]
kind = "file"
path = "@DIR@/out.jsonl"
[sink.hook]
kind = "http"
url = "http://127.0.0.1:@PORT@/hook"
[sink.once]
kind = "command"
argv = ["/bin/sh", "-c", "cat >>@DIR@/once; echo >>@DIR@/once # MARK"]
per_hour_max = 1000000
[entity.counter]
kind = "rules"
autonomy = "act"
case_key = "{{event.data.case}}"
[[entity.counter.on]]
source = "github"
[[entity.counter.rule]]
name = "with-tasks"
match = { "data.kind" = "tasks" }
remember = "event {{event.data.serial}}"
[[entity.counter.rule.task]]
name = "first"
sandbox = "none"
argv = ["/bin/sh", "-c", "sleep 0.05 # MARK"]
[[entity.counter.rule.task]]
name = "second"
sandbox = "none"
argv = ["/bin/sh", "-c", "sleep 0.03 # MARK"]
[[entity.counter.rule.task]]
name = "both"
needs = ["first", "second"]
sandbox = "none"
argv = ["/bin/sh", "-c", "sleep 0.01 # MARK"]
[[entity.counter.rule]]
name = "with-a-command"
match = { "data.kind" = "command" }
remember = "event {{event.data.serial}}"
[[entity.counter.rule.action]]
sink = "once"
payload = { serial = "{{event.data.serial}}" }
[[entity.counter.rule]]
name = "with-a-call"
match = { "data.kind" = "call" }
remember = "event {{event.data.serial}}"
[[entity.counter.rule.action]]
sink = "hook"
payload = { serial = "{{event.data.serial}}" }
[[entity.counter.rule]]
name = "plain"
remember = "event {{event.data.serial}}"
[[entity.counter.rule.action]]
sink = "out"
payload = { serial = "{{event.data.serial}}" }
[entity.watcher]
kind = "rules"
case_key = "all"
[[entity.watcher.on]]
source = "github"
match = { "data.kind" = "tasks" }
[entity.watcher.reactivity]
debounce = { period = "200ms", timeout = "1s" }
[[entity.watcher.rule]]
name = "count"
remember = "seen"
[entity.ticker]
kind = "rules"
[[entity.ticker.on]]
source = "clock"
[[entity.ticker.rule]]
name = "tick"
remember = "tick {{event.data.nominal}}"
[entity.asker]
kind = "rules"
autonomy = "propose"
case_key = "{{event.subject}}"
[[entity.asker.on]]
source = "admin"
[[entity.asker.rule]]
name = "ask"
remember = "asked {{event.subject}}"
[[entity.asker.rule.action]]
sink = "out"
payload = { asked = "{{event.subject}}" }
[entity.timer]
kind = "process"
[[entity.timer.on]]
source = "github"
match = { "data.kind" = "timer" }
[entity.timer.process]
argv = ["/usr/bin/python3", "-S", "@DIR@/timer.py", "MARK"]
case_path = "data.name"
restart_backoff = "100ms"
""".replace("MARK", MARK)

TIMER = """
import datetime, json, sys
for line in sys.stdin:
    asked = json.loads(line)
    wake, answer = asked["wake"], {"id": asked["id"], "verdict": "noted", "why": "asked"}
    if wake["kind"] == "event":
        due = datetime.datetime.fromisoformat(wake["now"].replace("Z", "+00:00")) + datetime.timedelta(seconds=0.1)
        answer["timers"] = [{"name": "soon", "due": due.isoformat().replace("+00:00", "Z"), "note": {}}]
        answer["state"] = {"set": 1}
    elif wake["kind"] == "timer":
        answer["episodes"] = [{"kind": "rang", "text": "rang " + wake["case"]}]
    print(json.dumps(answer), flush=True)
"""

KINDS = ["tasks", "command", "call", "timer"]


class Load:
    """Posts and calls from some threads until the daemon is gone; keeps what was acknowledged."""

    def __init__(self):
        self.webhooks, self.emitted, self.facts, self.approved = [], [], {}, []
        self.serial = 0
        self.calls = 0
        self.lock = threading.Lock()

    def next_serial(self):
        with self.lock:
            self.serial += 1
            return self.serial

    def answers(self):
        return len(self.webhooks) + self.calls

    def keep(self, where, what):
        with self.lock:
            where.append(what)

    def post_until_dead(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            while True:
                serial = self.next_serial()
                kind = KINDS[serial // 6 % 4] if serial % 6 == 0 else "plain"
                body = json.dumps({"serial": serial, "case": serial % 20, "kind": kind,
                                   "name": f"n{serial}"}).encode()
                connection.request("POST", "/hooks/github", body, {
                    "Content-Type": "application/json", "X-GitHub-Event": "ping",
                    "X-GitHub-Delivery": f"d-{serial}", "X-Hub-Signature-256": signature(body)})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 202:
                    self.keep(self.webhooks, (serial, kind))
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()

    def call_until_dead(self, path):
        try:
            connection = http.client.HTTPConnection("localhost", timeout=10)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(str(path))

            def ask(method, where, body=None):
                connection.request(method, where, None if body is None else json.dumps(body))
                answer = connection.getresponse()
                text = answer.read()
                self.calls += 1
                return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else None
            while True:
                serial = self.next_serial()
                status, _ = ask("POST", "/v1/events", {"type": "asked", "subject": f"s{serial}", "uid": f"a-{serial}"})
                if status in (200, 201, 202):
                    self.keep(self.emitted, serial)
                status, _ = ask("POST", "/v1/memory/counter/facts", {"key": f"f{serial % 50}", "value": serial})
                if status in (200, 201, 202):
                    with self.lock:
                        self.facts[f"f{serial % 50}"] = serial
                _, waiting = ask("GET", "/v1/actions?state=proposed&limit=2")
                for action in (waiting or {}).get("actions", []):
                    status, _ = ask("POST", f"/v1/actions/{action['id']}/approve", {"note": "yes"})
                    if status == 202:
                        self.keep(self.approved, action["id"])
                ask("GET", "/v1/status")
                ask("GET", "/v1/decisions?limit=5")
        except (OSError, http.client.HTTPException):
            pass


class Receiver:
    """Where the http sink posts: which key came, how often, with which bodies."""

    def __init__(self):
        self.bodies = collections.defaultdict(set)
        self.times = collections.Counter()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                key = self.headers["Idempotency-Key"]
                receiver.bodies[key].add(body)
                receiver.times[key] += 1
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # the daemon is killed while it posts
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def children_left():
    return subprocess.run(["pgrep", "-f", MARK], capture_output=True, text=True).stdout.split()


def no_children_within(seconds):
    until = time.monotonic() + seconds
    while children_left():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def rows(place, query):
    database = sqlite3.connect(f"file:{place.state / 'vigil.db'}?mode=ro", uri=True)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


BACKLOG_MAX = 300


def has_much_to_decide(place):
    return (place.state / "vigil.db").exists() and rows(place, "SELECT count(*) FROM wake")[0][0] > BACKLOG_MAX


def cycle(place, load, chance):
    """One life: start, load, death at a random moment. Returns how many orphans it left."""
    posters = 0 if has_much_to_decide(place) else 3  # short lives on a slow machine would never catch up
    daemon = Daemon(place)
    threads = [threading.Thread(target=load.post_until_dead, args=(daemon.port,)) for _ in range(posters)]
    threads += [threading.Thread(target=load.call_until_dead, args=(place.state / "admin.sock",))]
    for thread in threads:
        thread.start()
    # After some answers, so that a busy machine is not killed before it did anything; or idle, a little later.
    answers, until = load.answers() + chance.randrange(80), time.monotonic() + chance.uniform(0.3, 1.5)
    while load.answers() < answers and time.monotonic() < until:
        time.sleep(0.001)
    daemon.kill()
    for thread in threads:
        thread.join()
    return 0 if no_children_within(3) else len(children_left())


def settle(daemon):
    daemon.settle()
    wait_until("what was asked for has left", lambda: not daemon.ctl("actions", "list", "--state", "approved")["actions"]
               and not daemon.ctl("actions", "list", "--state", "sending")["actions"])
    wait_until("timers have rung", lambda: not daemon.ctl("timers", "list")["timers"])
    daemon.settle()


def raise_the_dead(daemon):
    """A wake whose decision was killed three times is buried, for it may be the reason: here it is not."""
    buried = daemon.ctl("dead", "list", "--limit", "1000")["dead"]
    for one in buried:
        daemon.ctl("dead", "retry", one["id"])
    settle(daemon)
    return len(buried)


def lines_of(path):
    return [line for line in path.read_text().splitlines() if line] if path.exists() else []


def twice(values):
    return sum(count - 1 for count in collections.Counter(values).values())


def judge(place, load, receiver):
    """What must be nought, by name."""
    kept = {uid for (uid,) in rows(place, "SELECT uid FROM event")}
    # A wake that was buried has a row that says so, and another one since it was decided after all.
    answered = rows(place, "SELECT entity, event FROM decision JOIN decision_event "
                           "ON decision_event.decision = decision.id WHERE verdict <> 'failed'")
    told = rows(place, "SELECT text FROM episode WHERE entity = 'counter' AND kind IN "
                       "('plain', 'with-tasks', 'with-a-command', 'with-a-call')")
    ticks = [text for (text,) in rows(place, "SELECT text FROM episode WHERE entity = 'ticker'")]
    rang = [text for (text,) in rows(place, "SELECT text FROM episode WHERE entity = 'timer' AND kind = 'rang'")]
    events = {event for (event,) in rows(place, "SELECT id FROM event WHERE source = 'github'")}
    timed = {f"rang n{serial}" for serial, kind in load.webhooks if kind == "timer"}
    actions = rows(place, "SELECT id, key, sink, state, payload FROM action")
    facts = dict(rows(place, "SELECT key, value FROM fact WHERE entity = 'counter'"))
    done = [json.loads(line)["serial"] for line in lines_of(place.path / "once")]
    delivered = {sink: {key: json.loads(payload) for _, key, to, state, payload in actions
                        if to == sink and state == "delivered"} for sink in ("out", "hook", "once")}
    written = lines_of(place.path / "out.jsonl")
    state_of = {action: state for action, _, _, state, _ in actions}
    outcomes = {action for action, state in state_of.items() if state in ("delivered", "failed", "unknown", "expired")}
    told_of = {action for (action,) in rows(place, "SELECT json_extract(asked, '$.because.action') FROM decision "
                                                   "WHERE wake_kind = 'action' AND asked <> ''")}
    return {
        "lost": len({f"d-{serial}" for serial, _ in load.webhooks} - kept)
        + len({f"a-{serial}" for serial in load.emitted} - kept),
        "wakes_decided_twice": len(rows(place, "SELECT wake FROM decision WHERE wake <> 0 GROUP BY wake HAVING count(*) > 1")),
        "events_answered_twice": len(answered) - len(set(answered)),
        "events_unanswered": len(events - {event for entity, event in answered if entity == "counter"}),
        "remembered_twice": twice(told), "ticks_twice": twice(ticks), "timers_lost": len(timed - set(rang)),
        "timers_twice": twice(rang),
        "swarms_open": len(rows(place, "SELECT id FROM swarm WHERE state IN ('planned', 'running')")),
        "approvals_lost": sum(state_of.get(action) in (None, "proposed") for action in load.approved),
        # A fact may be newer than its last acknowledged value, never older.
        "facts_lost": sum(int(facts.get(key, 0)) < value for key, value in load.facts.items()),
        "commands_twice": twice(done),
        "commands_lost": len({one["serial"] for one in delivered["once"].values()} - set(done)),
        "calls_lost": len(set(delivered["hook"]) - set(receiver.times)),
        "calls_changed": sum(len(bodies) > 1 for bodies in receiver.bodies.values()),
        "lines_lost": max(0, len(delivered["out"]) - len(set(written))),
        "outcomes_untold": len(outcomes - told_of),
        "dead": len(rows(place, "SELECT id FROM wake WHERE dead = 1")),
    }, actions


def main():
    cycles = int(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("VIGIL_CRASH_CYCLES", 100))
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    chance = random.Random(seed)
    load, receiver = Load(), Receiver()
    orphans = 0
    with Place(CONFIG.replace("@PORT@", str(receiver.port))) as place:
        place.write("timer.py", TIMER)
        for number in range(cycles):
            orphans += cycle(place, load, chance)
            if number % 10 == 0 or number == cycles - 1:
                whole = rows(place, "PRAGMA integrity_check")
                assert whole == [("ok",)], f"seed {seed}, cycle {number}: {whole}"
        with Daemon(place) as daemon:
            settle(daemon)
            buried = raise_the_dead(daemon)
            assert daemon.ctl("doctor", "--ledger") is not None  # its chains are whole
        nought, actions = judge(place, load, receiver)
        counts = {"events": rows(place, "SELECT count(*) FROM event")[0][0],
                  "decisions": rows(place, "SELECT count(*) FROM decision")[0][0],
                  "firings": rows(place, "SELECT count(*) FROM event WHERE source = 'clock'")[0][0],
                  "swarms": rows(place, "SELECT count(*) FROM swarm")[0][0], "actions": len(actions),
                  "unknown": sum(state == "unknown" for _, _, _, state, _ in actions),
                  "calls_repeated": sum(receiver.times.values()) - len(receiver.times)}
    result = {"test": "crash", "seed": seed, "cycles": cycles,
              "acknowledged": len(load.webhooks) + len(load.emitted), "admin_calls": load.calls,
              "approved": len(load.approved), "buried": buried, **counts, **nought, "orphans": orphans}
    print(json.dumps(result))
    bad = [name for name in [*nought, "orphans"] if result[name]]
    assert not bad, bad
    assert len(load.webhooks) > cycles, "too little load to say anything"


if __name__ == "__main__":
    main()
