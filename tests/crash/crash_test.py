#!/usr/bin/env python3
"""Kills the daemon at random moments under load, again and again, and looks at what is left.

Holds: no acknowledged event is lost, no wake is decided twice, no child outlives the daemon, the
database is whole. Usage: crash_test.py [CYCLES] [SEED]; prints one JSON line.
"""
import http.client
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import Daemon, Place, signature  # noqa: E402

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
[sink.out]
kind = "file"
path = "@DIR@/out.jsonl"
[entity.counter]
kind = "rules"
autonomy = "act"
case_key = "{{event.data.case}}"
[[entity.counter.on]]
source = "github"
[[entity.counter.rule]]
name = "with-a-task"
match = { "data.task" = true }
remember = "task {{event.data.serial}}"
[[entity.counter.rule.task]]
name = "short"
sandbox = "none"
argv = ["/bin/sh", "-c", "sleep 0.05 # MARK"]
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
match = { "data.task" = true }
[entity.watcher.reactivity]
debounce = { period = "200ms", timeout = "1s" }
[[entity.watcher.rule]]
name = "count"
remember = "seen"
""".replace("MARK", MARK)


class Load:
    """Posts signed events from some threads until the daemon is gone; keeps what was acknowledged."""

    def __init__(self):
        self.acknowledged = []
        self.serial = 0
        self.lock = threading.Lock()

    def next_serial(self):
        with self.lock:
            self.serial += 1
            return self.serial

    def post_until_dead(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            while True:
                serial = self.next_serial()
                body = json.dumps({"serial": serial, "case": serial % 20,
                                   "task": serial % 10 == 0}).encode()
                connection.request("POST", "/hooks/github", body, {
                    "Content-Type": "application/json", "X-GitHub-Event": "ping",
                    "X-GitHub-Delivery": f"d-{serial}", "X-Hub-Signature-256": signature(body)})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 202:
                    with self.lock:
                        self.acknowledged.append(f"d-{serial}")
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()


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


def cycle(place, load, chance):
    """One life: start, load, death at a random moment. Returns how many orphans it left."""
    daemon = Daemon(place)
    threads = [threading.Thread(target=load.post_until_dead, args=(daemon.port,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(chance.uniform(0.0, 0.25))
    daemon.kill()
    for thread in threads:
        thread.join()
    return 0 if no_children_within(3) else len(children_left())


def main():
    cycles = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    chance = random.Random(seed)
    load = Load()
    orphans = 0
    with Place(CONFIG) as place:
        for number in range(cycles):
            orphans += cycle(place, load, chance)
            if number % 10 == 0 or number == cycles - 1:
                whole = rows(place, "PRAGMA integrity_check")
                assert whole == [("ok",)], f"seed {seed}, cycle {number}: {whole}"
        with Daemon(place) as daemon:
            daemon.settle()
        kept = {uid for (uid,) in rows(place, "SELECT uid FROM event")}
        lost = [uid for uid in load.acknowledged if uid not in kept]
        twice = rows(place, "SELECT wake, count(*) FROM decision WHERE wake <> 0 "
                            "GROUP BY wake HAVING count(*) > 1")
        answered = rows(place, "SELECT entity, event FROM decision JOIN decision_event "
                               "ON decision_event.decision = decision.id")
        events_twice = len(answered) - len(set(answered))
        counted = {event for entity, event in answered if entity == "counter"}
        unanswered = len(kept) - len(counted)
        remembered = rows(place, "SELECT text FROM episode WHERE entity = 'counter' "
                                 "AND kind IN ('plain', 'with-a-task')")
        remembered_twice = len(remembered) - len(set(remembered))
        starts = place.state.exists()
    result = {"test": "crash", "seed": seed, "cycles": cycles,
              "acknowledged": len(load.acknowledged), "stored": len(kept), "lost": len(lost),
              "wakes_decided_twice": len(twice), "events_answered_twice": events_twice,
              "events_unanswered": unanswered, "remembered_twice": remembered_twice,
              "orphans": orphans}
    print(json.dumps(result))
    bad = [name for name in ("lost", "wakes_decided_twice", "events_answered_twice",
                             "events_unanswered", "remembered_twice", "orphans") if result[name]]
    assert starts and not bad, bad
    assert len(load.acknowledged) > cycles, "too little load to say anything"


if __name__ == "__main__":
    main()
