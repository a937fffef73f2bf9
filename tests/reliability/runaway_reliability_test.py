#!/usr/bin/env python3
"""What could go on for ever does not: plans that add tasks, guardians that answer themselves, hooks that call themselves.
Real programs; each test ends because the daemon ends the circle, and counts how far it went."""
import json
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import Daemon, Place, wait_until  # noqa: E402

DESCENT_MAX = 100  # daemon/runtime/commit.hpp

DAEMON = """
[daemon]
drain_timeout = "2s"
[http]
listen = ["127.0.0.1:@PORT@"]
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
[sink.out]
kind = "file"
path = "@DIR@/out.jsonl"
"""

PROCESS = DAEMON.replace("@PORT@", "0") + """
[entity.circle]
kind = "process"
autonomy = "act"
[entity.circle.process]
argv = ["/usr/bin/python3", "@DIR@/circle.py"]
timeout = "20s"
[[entity.circle.on]]
source = "admin"
"""

# Whatever wakes it, it asks for the same again.
GUARDIAN = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    count = asked["memory"]["state"].get("count", 0) + 1
    out = {"id": asked["id"], "verdict": "acted", "why": "again", "state": {"count": count}}
    now = asked["wake"]["now"]
    out.update(@ASKS@)
    print(json.dumps(out), flush=True)
"""


def emit(daemon, subject="s"):
    return daemon.ctl("events", "emit", "--type", "go", "--subject", subject)["id"]


def ledger(daemon, entity):
    return daemon.ctl("decisions", "list", "--entity", entity, "-n", "500")["decisions"]


class Runaway(unittest.TestCase):
    def run_circle(self, asks):
        place = Place(PROCESS)
        self.addCleanup(place.__exit__)
        place.write("circle.py", GUARDIAN.replace("@ASKS@", asks))
        daemon = Daemon(place)
        self.addCleanup(daemon.__exit__)
        emit(daemon)
        return place, daemon

    def wait_for_the_end(self, daemon):
        wait_until("the circle is ended", lambda: "runaway" in json.dumps(ledger(daemon, "circle")), patience=240)
        daemon.settle()

    def test_a_guardian_that_forks_a_swarm_at_the_end_of_each(self):
        _, daemon = self.run_circle('{"plans": [{"title": "again", "tasks": [{"name": "t", "reduce": "collect"}]}]}')
        self.wait_for_the_end(daemon)
        swarms = daemon.ctl("swarms", "list", "-n", "500")["swarms"]
        self.assertEqual(len(swarms), DESCENT_MAX)
        last = next(row for row in ledger(daemon, "circle") if row["verdict"] == "runaway")
        self.assertIn("plan 'again': 100 decisions in a row led to one another", json.dumps(last))
        emit(daemon)  # what comes from outside sets it going again
        wait_until("it works again", lambda: len(daemon.ctl("swarms", "list", "-n", "500")["swarms"]) > DESCENT_MAX)

    def test_a_guardian_that_answers_each_result_of_an_action_with_another(self):
        place, daemon = self.run_circle('{"actions": [{"kind": "log", "sink": "out", "payload": {"text": str(count)}}]}')
        self.wait_for_the_end(daemon)
        self.assertEqual(len((place.path / "out.jsonl").read_text().splitlines()), DESCENT_MAX)

    def test_a_guardian_whose_timer_is_always_due(self):
        _, daemon = self.run_circle('{"timers": [{"name": "again", "due": now}], "plans": ['
                                    '{"title": "again", "tasks": [{"name": "t", "reduce": "collect"}]}] if count > 100 else []}')
        wait_until("its timer waits", lambda: any(
            row["due"] > row_now(30) for row in daemon.ctl("timers", "list")["timers"]), patience=240)

    def test_a_hook_that_calls_itself(self):
        place = Place("")
        self.addCleanup(place.__exit__)
        place.configure(DAEMON.replace("@PORT@", "0"))
        with Daemon(place) as first:
            port = first.port
        place.configure(DAEMON.replace("@PORT@", str(port)) + f"""
[source.hook]
kind = "webhook"
scheme = "none"
type = "note"
[sink.self]
kind = "http"
url = "http://127.0.0.1:{port}/hooks/hook"
[entity.circle]
kind = "rules"
autonomy = "act"
on = [{{ source = "hook" }}]
[entity.circle.autonomy_of]
call = "act"
[[entity.circle.rule]]
name = "again"
[[entity.circle.rule.action]]
sink = "self"
kind = "call"
payload = {{ text = "again" }}
""")
        daemon = Daemon(place)
        self.addCleanup(daemon.__exit__)
        status, _, answer = daemon.request("POST", "/hooks/hook", b'{"text": "first"}', {"Content-Type": "application/json"})
        self.assertEqual(status, 202, answer)
        self.wait_for_the_end(daemon)
        self.assertEqual(len(daemon.ctl("events", "list", "-n", "500")["events"]), 1 + DESCENT_MAX)
        # A stranger's header holds back nothing but the stranger's own event.
        headers = {"Content-Type": "application/json", "Vigil-Descent": "1000"}
        status, _, answer = daemon.request("POST", "/hooks/hook", b'{"text": "mine"}', headers)
        self.assertEqual(status, 202, answer)
        daemon.settle()
        self.assertEqual(len(daemon.ctl("events", "list", "-n", "500")["events"]), 2 + DESCENT_MAX)

    def test_a_plan_whose_tasks_add_tasks_without_end(self):
        with Place(PROCESS) as place, Daemon(place) as daemon:
            script = place.write("more.py", """
import json, os, sys
task = {"name": "x", "argv": ["/usr/bin/python3", "@ME@"], "spawn_max": 1000, "read_paths": [os.path.dirname("@ME@")]}
with os.fdopen(int(os.environ["VIGIL_CONTROL_FD"]), "w") as out:
    out.write(json.dumps({"spawn": [task]}) + "\\n")
""")
            script.write_text(script.read_text().replace("@ME@", str(script)))
            plan = {"title": "more", "tasks": [{"name": "root", "argv": ["/usr/bin/python3", str(script)], "spawn_max": 1000,
                                                "read_paths": [str(place.path)]}]}
            file = place.write("plan.json", json.dumps(plan))
            swarm = daemon.ctl("swarms", "run", str(file), "--entity", "circle")["id"]
            ended = wait_until("it ends", lambda: shown(daemon, swarm) if shown(daemon, swarm)["state"] == "failed" else None)
            self.assertIn("4 deep", json.dumps(ended))
            self.assertLessEqual(len(ended["tasks"]), 6)


def row_now(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + seconds))


def shown(daemon, swarm):
    return daemon.ctl("swarms", "show", swarm)


if __name__ == "__main__":
    unittest.main()
