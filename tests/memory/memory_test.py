#!/usr/bin/env python3
"""A memory that matures, in the real daemon: the night's work killed in the middle is done whole, once, after the restart."""
import json
import pathlib
import random
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import Daemon, Place, wait_until  # noqa: E402

ENTITIES, EVENTS = 40, 4

CONFIG = """
[daemon]
drain_timeout = "2s"
safe_mode_starts = 0  # it is killed on purpose
[http]
listen = ["127.0.0.1:0"]
[source.notes]
kind = "webhook"
scheme = "none"
type = "note"
trusted = true
""" + "".join(f"""
[entity.clerk{number}]
kind = "rules"
on = [{{ source = "notes" }}]
[[entity.clerk{number}.rule]]
name = "note"
remember = "printer {{{{event.data.printer}}}} is out of paper"
""" for number in range(ENTITIES))


def note(daemon, printer):
    body = json.dumps({"printer": printer}).encode()
    status, _, answer = daemon.request("POST", "/hooks/notes", body, {"Content-Type": "application/json"})
    assert status == 202, answer


def database(place):
    return sqlite3.connect(f"{place.state}/vigil.db", timeout=30)


def rows(place, sql, *values):
    with database(place) as db:
        return db.execute(sql, values).fetchall()


def done_by_now(place):
    return rows(place, "SELECT count(*) FROM decision WHERE rule = 'consolidate'")[0][0]


class Memory(unittest.TestCase):
    def test_killed_in_the_middle_of_the_night_each_memory_is_consolidated_whole_and_once(self):
        chance = random.Random(7)
        with Place(CONFIG) as place:
            with Daemon(place) as daemon:
                for number in range(EVENTS):
                    note(daemon, number)
                daemon.settle()
            # The last night that was done is long ago: the next start makes up for it.
            with database(place) as db:
                db.execute("UPDATE cursor SET value = 1000000000000000 WHERE name = 'memory-night'")
            kills, in_the_middle = 0, 0
            while done_by_now(place) < ENTITIES and kills < 60:
                daemon = Daemon(place)
                time.sleep(chance.uniform(0, 0.02))
                daemon.kill()
                kills += 1
                in_the_middle += 0 < done_by_now(place) < ENTITIES
            with Daemon(place) as daemon:
                wait_until("the night is done", lambda: done_by_now(place) == ENTITIES and rows(
                    place, "SELECT value FROM cursor WHERE name = 'memory-night'")[0][0] > 1000000000000000)
                per_entity = rows(place, "SELECT entity, count(*) FROM decision WHERE rule = 'consolidate' GROUP BY 1")
                self.assertEqual({count for _, count in per_entity}, {1})
                self.assertEqual(len(per_entity), ENTITIES)
                for number in range(ENTITIES):
                    self.look_at(daemon, f"clerk{number}")
                again = daemon.ctl("memory", "consolidate", "clerk0")
                self.assertEqual([again[name] for name in ("episodes", "facts", "preferences", "halved", "forgotten")],
                                 [0, 0, 0, 0, 0])
                self.assertIsNone(again["decision"])
                self.assertEqual(done_by_now(place), ENTITIES)
            print(f"kills={kills} in_the_middle={in_the_middle}", file=sys.stderr)
            self.assertGreater(kills, 0)

    def look_at(self, daemon, entity):
        memory = daemon.ctl("memory", "show", entity)
        episodes = {one["id"]: one["text"] for one in memory["episodes"]}
        facts = {fact["key"]: fact for fact in memory["facts"]}
        self.assertEqual(len(facts), 2)
        ids = " ".join(map(str, sorted(episodes)))
        for fact in facts.values():
            self.assertEqual(fact["value"]["count"], EVENTS)
            self.assertEqual(fact["provenance"], f"{EVENTS} of {EVENTS} episodes: {ids}")
            self.assertAlmostEqual(fact["confidence"], EVENTS / (EVENTS + 1))
            self.assertIsNone(fact["used"])
        said = next(fact for key, fact in facts.items() if key.startswith("seen:text:note:"))
        self.assertEqual(said["value"]["text"], episodes[max(episodes)])

    def test_on_demand_it_says_what_it_did_and_where_each_fact_comes_from(self):
        with Place(CONFIG) as place, Daemon(place) as daemon:
            for number in range(3):
                note(daemon, number)
            daemon.settle()
            told = daemon.ctl_text("memory", "consolidate", "clerk1")
            self.assertEqual(told, "clerk1: of 3 new episodes came 2 facts and 0 preferences; 0 facts nobody used were "
                                   "halved, 0 forgotten\n")
            row = next(one for one in daemon.ctl("memory", "show", "clerk1")["facts"] if one["key"] == "seen:kind:note")
            ids = [id for (id,) in rows(place, "SELECT id FROM episode WHERE entity = 'clerk1' ORDER BY id")]
            self.assertEqual(row["provenance"], "3 of 3 episodes: " + " ".join(map(str, ids)))
            page = daemon.ctl_text("memory", "show", "clerk1")
            self.assertIn("USED", page)
            self.assertIn("3 of 3 episodes", page)
            nobody = daemon.ctl_text("memory", "consolidate", "nobody", expect=1)
            self.assertIn("there is no entity", nobody)


if __name__ == "__main__":
    unittest.main(verbosity=2)
