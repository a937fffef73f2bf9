#!/usr/bin/env python3
"""Kills the daemon in the middle of a swarm of 1,000 tasks, again and again, and looks at the results.

Holds: every task's result is there exactly once and is the right one, what was done before a kill is
never run again, no child outlives the daemon, spawned tasks and those of a list included.
Usage: swarm_crash_test.py [KILLS] [SEED]; prints one JSON line.
"""
import http.client
import json
import os
import pathlib
import random
import socket
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import Daemon, Place, wait_until  # noqa: E402

MARK = f"vigild-swarm-crash-{os.getpid()}"
CHAINS, LENGTH, ITEMS = 40, 20, 160  # 800 tasks in chains, a list of 160 and 40 joins: 1,000 and some

CONFIG = """
[daemon]
safe_mode_starts = 0  # it is killed on purpose, often
[http]
listen = ["127.0.0.1:0"]
[swarm]
slots = 16
[entity.worker]
kind = "process"
[[entity.worker.on]]
source = "admin"
[entity.worker.process]
argv = ["/usr/bin/python3", "@DIR@/worker.py"]
"""

# Every task answers with its own name and what it was given, so that each result can be told.
WORKER = """
import json, sys

SHELL = "read given; echo \\"$given\\" >>@DIR@/runs; echo '\\"'$1'\\"' # MARK"

def task(name, **more):
    return dict(more, name=name, containment="none", timeout="10m",
                argv=["/bin/sh", "-c", SHELL, "sh", name])

def plan():
    tasks = []
    for chain in range(CHAINS):
        names = [f"c{chain}-{place}" for place in range(LENGTH)]
        tasks += [task(name, **({"needs": [names[place - 1]]} if place else {}))
                  for place, name in enumerate(names)]
        tasks.append({"name": f"join{chain}", "reduce": "collect", "needs": names})
    each = task("each", for_each="input.items", input={"items": list(range(ITEMS))})
    each["argv"][-1] = "{item}"
    return {"title": "a thousand", "timeout": "1h", "tasks": tasks + [each]}

for line in sys.stdin:
    asked = json.loads(line)
    answer = {"id": asked["id"], "verdict": "acted", "why": "asked"}
    if asked["wake"]["kind"] == "event":
        answer["plans"] = [plan()]
    print(json.dumps(answer), flush=True)
"""


def rows(place, query):
    database = sqlite3.connect(f"file:{place.state / 'vigil.db'}?mode=ro", uri=True)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def with_results(place, swarm):
    """The swarm as the admin API shows it, with what its tasks answered."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(place.state / "admin.sock"))
    connection.request("GET", f"/v1/swarms/{swarm}?results=yes")
    answer = json.load(connection.getresponse())
    connection.close()
    return answer


def children_left():
    return subprocess.run(["pgrep", "-f", MARK], capture_output=True, text=True).stdout.split()


def orphans_after(seconds):
    until = time.monotonic() + seconds
    while children_left() and time.monotonic() < until:
        time.sleep(0.02)
    return len(children_left())


def done_tasks(place):
    return {(swarm, name): fence for swarm, name, fence in rows(
        place, "SELECT swarm, name, fence FROM task WHERE state = 'done'")}


def has_work(daemon):
    return daemon.ctl("status")["runtime"]["swarms_running"] > 0


def start_swarm(daemon):
    daemon.ctl("events", "emit", "--type", "go", "--data", "{}")
    wait_until("the swarm runs", lambda: has_work(daemon))


def kill_in_the_middle(place, chance, before):
    """One life; returns what is done at its end, how much of before was run again, and orphans."""
    daemon = Daemon(place)
    if not has_work(daemon):
        start_swarm(daemon)
    time.sleep(chance.uniform(0.0, 0.15))
    daemon.kill()
    orphans = orphans_after(3)
    done = done_tasks(place)
    again = [task for task, fence in before.items() if done.get(task) != fence]
    return done, again, orphans


def expected_result():
    result = {f"c{chain}-{place}": f"c{chain}-{place}"
              for chain in range(CHAINS) for place in range(LENGTH)}
    for chain in range(CHAINS):
        result[f"join{chain}"] = {f"c{chain}-{place}": f"c{chain}-{place}"
                                  for place in range(LENGTH)}
    result["each"] = [str(item) for item in range(ITEMS)]
    return result


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    chance = random.Random(seed)
    again, orphans, done = [], 0, {}
    with Place(CONFIG) as place:
        worker = WORKER.replace("@DIR@", str(place.path)).replace("MARK", MARK)
        for name, value in (("CHAINS", CHAINS), ("LENGTH", LENGTH), ("ITEMS", ITEMS)):
            worker = worker.replace(name, str(value))
        place.write("worker.py", worker)
        for _ in range(kills):
            done, repeated, left = kill_in_the_middle(place, chance, done)
            again += repeated
            orphans += left
        with Daemon(place) as daemon:
            daemon.settle()
            swarms = [with_results(place, swarm["id"])
                      for swarm in daemon.ctl("swarms", "list")["swarms"]]
        again += [task for task, fence in done.items() if done_tasks(place).get(task) != fence]
        twice = rows(place, "SELECT swarm, name FROM task GROUP BY swarm, name "
                            "HAVING count(*) > 1")
        whole = rows(place, "PRAGMA integrity_check") == [("ok",)]
        ended_by = len((place.path / "runs").read_text().splitlines())
    expected = expected_result()
    wrong = [(swarm["id"], swarm["state"], swarm["report"]["error"]) for swarm in swarms
             if swarm["state"] != "done" or swarm["report"]["result"] != expected]
    result = {"test": "swarm crash", "seed": seed, "kills": kills, "swarms": len(swarms),
              "tasks": sum(len(swarm["report"]["tasks"]) for swarm in swarms),
              "runs": ended_by, "wrong": len(wrong), "done_again": len(again),
              "results_twice": len(twice), "orphans": orphans}
    print(json.dumps(result))
    bad = [name for name in ("wrong", "done_again", "results_twice", "orphans") if result[name]]
    assert whole and swarms and not bad, (bad, wrong[:3], again[:3])
    assert result["runs"] >= len(swarms) * (CHAINS * LENGTH + ITEMS), "too little was run"


if __name__ == "__main__":
    main()
