#!/usr/bin/env python3
"""The daemon with models: a question becomes a decision, its cost stands in the ledger to the token, what goes wrong ends
well, and whatever strangers write, nothing leaves without a person."""
import json
import pathlib
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import attacks  # noqa: E402
from model_server import StandIn  # noqa: E402
from vigild import PATIENCE, Daemon, Place, wait_until  # noqa: E402

CONFIG = """
[daemon]
drain_timeout = "2s"
@DAEMON@
[http]
listen = ["127.0.0.1:0"]
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
[model.small]
url = "http://127.0.0.1:@PORT@/v1"
model = "small-1"
key = "file:@DIR@/key"
retries = 3
price = { input = 3, output = 15, cache_read = 0.3 }
@EXTRA@
[model.strong]
api = "anthropic"
url = "http://127.0.0.1:@PORT@/v1"
model = "strong-1"
price = { input = 10, output = 50, cache_read = 1 }
[source.notes]
kind = "webhook"
scheme = "none"
type = "note"
[sink.out]
kind = "file"
path = "@DIR@/out.jsonl"
[sink.far]
kind = "command"
argv = ["/bin/sh", "-c", "cat >> @DIR@/left; echo >> @DIR@/left"]
[entity.sorter]
kind = "rules"
autonomy = "act"
case_key = "{{event.id}}"
on = [{ source = "notes" }]
@BUDGET@
[[entity.sorter.rule]]
name = "sort"
[[entity.sorter.rule.task]]
name = "about"
input = { note = "{{event.data.text}}", file = "{{event.data.file}}" }
[entity.sorter.rule.task.ask]
model = "@MODEL@"
prompt = "Say what the note is about."
schema = { type = "object", required = ["about"], properties = { about = { type = "string" } } }
[[entity.sorter.rule.action]]
sink = "out"
on = "ok"
payload = { text = "{{report.tasks.about.result.about}}" }
[[entity.sorter.rule.action]]
sink = "far"
kind = "command"
on = "ok"
payload = { text = "{{report.tasks.about.result.about}}" }
"""


class World:
    def __init__(self, script, model="small", budget="", extra="", daemon=""):
        self.stand_in = StandIn(script)
        self.place = Place("")
        self.place.write("key", "sk-the-key")
        self.place.configure(CONFIG.replace("@PORT@", str(self.stand_in.port)).replace("@MODEL@", model)
                             .replace("@BUDGET@", budget).replace("@EXTRA@", extra).replace("@DAEMON@", daemon))
        self.daemon = Daemon(self.place)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daemon.__exit__()
        self.stand_in.close()
        self.place.__exit__()

    def note(self, text, file=""):
        body = json.dumps({"text": text, "file": file}).encode()
        status, _, answer = self.daemon.request("POST", "/hooks/notes", body, {"Content-Type": "application/json"})
        assert status == 202, answer
        return json.loads(answer)["id"]

    def settle(self):
        self.daemon.settle()

    def lines(self):
        file = self.place.path / "out.jsonl"
        return file.read_text().splitlines() if file.exists() else []

    def budget(self, who):
        return next(row for row in self.daemon.ctl("budget")["budgets"] if row["entity"] == who)

    def spent(self, who):
        return self.budget(who)["spent"]


class Models(unittest.TestCase):
    def test_a_question_becomes_a_decision_and_its_cost_stands_in_the_ledger(self):
        for model in ("small", "strong"):
            with World(lambda _: {"text": {"about": "printers"}}, model) as world:
                for number in range(5):
                    world.note(f"note {number}")
                world.settle()
                wait_until("all is written", lambda: len(world.lines()) == 5)
                self.assertIn("printers", world.lines()[0])
                told = world.stand_in.told
                sum_of = told["input"] + told["output"] + told["cache_read"]
                spent = world.spent("sorter")
                self.assertEqual(spent["tokens"], sum_of)
                self.assertEqual(world.spent("model:" + model)["tokens"], sum_of)
                self.assertEqual(world.spent("model:" + model)["requests"], 5)
                self.assertEqual(world.spent("*")["tokens"], sum_of)
                self.assertEqual(world.budget("sorter")["reserved"]["tokens"], 0)
                prices = {"small": (3, 15, 0.3), "strong": (10, 50, 1)}[model]
                money = told["input"] * prices[0] + told["output"] * prices[1] + told["cache_read"] * prices[2]
                self.assertAlmostEqual(spent["money_micros"], money, delta=told["calls"])
                swarm = world.daemon.ctl("swarms", "list")["swarms"][0]
                self.assertEqual(swarm["state"], "done")

    def test_every_misfortune_ends_well_and_is_paid_to_the_token(self):
        manners = ["429", "500", "stream", "malformed", "cut", "stream", "wrong", "stream", "wrong", "wrong"]
        script = iter(manners + ["stream"] * 100)

        def next_one(_):
            manner = next(script)
            if manner == "wrong":
                return {"text": {"abuot": 1}}
            return {"text": {"about": "it"}, "manner": manner}

        with World(next_one) as world:
            for number in range(6):
                world.note(f"note {number}")
                world.settle()
            states = [one["state"] for one in world.daemon.ctl("swarms", "list")["swarms"]]
            self.assertEqual(len(states), 6)
            self.assertLessEqual(states.count("failed"), 1)
            told = world.stand_in.told
            spent = world.spent("sorter")
            estimated = 0
            for one in world.daemon.ctl("swarms", "list")["swarms"]:
                report = world.daemon.ctl("swarms", "show", one["id"])
                estimated += (report.get("report") or report).get("cost", {}).get("estimated_tokens", 0)
            self.assertEqual(spent["tokens"] - estimated, told["input"] + told["output"] + told["cache_read"])

    def test_when_the_tokens_of_the_day_are_spent_the_ledger_says_so(self):
        # The longest answer may be 4,096 tokens, twice at most: a second one does not fit any more.
        with World(lambda _: {"text": {"about": "it"}}, budget="budget = { tokens = 8_300 }") as world:
            world.note("first")
            world.settle()
            event = world.note("second")
            world.settle()
            self.assertEqual(len(world.stand_in.heard), 1)
            told = json.dumps(world.daemon.ctl("explain", event))
            self.assertIn("over_budget", told)
            self.assertRegex(told, r"too little is left of the day's tokens: entity.sorter.budget.tokens = 8300, spent 1\d\d, "
                             r"set aside 0, left 81\d\d, this may take 82\d\d;")

    def test_what_no_day_has_room_for_is_never_asked_and_the_ledger_says_what_to_do(self):
        with World(lambda _: {"text": {"about": "it"}}, budget="budget = { tokens = 5000 }") as world:
            event = world.note("first")
            world.settle()
            self.assertEqual(world.stand_in.heard, [])
            told = json.dumps(world.daemon.ctl("explain", event))
            self.assertIn("no day's tokens are enough: entity.sorter.budget.tokens = 5000, this may take 8", told)
            self.assertIn("waiting does not help", told)

    def test_what_goes_on_is_set_aside_survives_a_kill_and_is_settled(self):
        held = threading.Event()

        def slow(_):
            held.wait(PATIENCE)
            return {"text": {"about": "it"}}

        with World(slow, budget="budget = { tokens = 20_000 }", daemon="safe_mode_starts = 0") as world:
            world.note("one")
            wait_until("it is asked", lambda: len(world.stand_in.heard) == 1)
            most = world.budget("sorter")["reserved"]["tokens"]
            self.assertGreater(most, 2 * 4096)
            self.assertLess(most, 10_000)
            self.assertEqual(world.budget("*")["reserved"]["tokens"], most)
            self.assertEqual(world.budget("model:small")["reserved"]["requests"], 1)
            self.assertEqual(world.spent("sorter")["swarms"], 1)
            world.daemon.kill()
            world.daemon = Daemon(world.place)
            wait_until("it is asked again", lambda: len(world.stand_in.heard) == 2)
            self.assertEqual(world.budget("sorter")["reserved"]["tokens"], most)
            held.set()
            world.settle()
            self.assertEqual(world.budget("sorter")["reserved"], {"tokens": 0, "money_cents": 0, "compute_us": 0})
            wait_until("the call is over", lambda: world.budget("model:small")["reserved"]["requests"] == 0)
            self.assertGreater(world.spent("sorter")["tokens"], 0)
            self.assertEqual(world.spent("sorter")["swarms"], 1)

    def test_a_model_over_its_day_is_not_asked_and_a_restart_does_not_forget(self):
        with World(lambda _: {"text": {"about": "it"}}, extra='budget = { requests = 2 }\nfallback = ["strong"]') as world:
            for number in range(3):
                world.note(f"note {number}")
                world.settle()
            paths = [request.path for request in world.stand_in.heard]
            self.assertEqual([path.rpartition("/")[2] for path in paths], ["completions", "completions", "messages"])
            self.assertEqual(world.spent("model:small")["requests"], 2)
            world.daemon.stop()
            world.daemon = Daemon(world.place)
            world.note("after a restart")
            world.settle()
            self.assertEqual(world.spent("model:small")["requests"], 2)
            self.assertEqual(world.spent("model:strong")["requests"], 2)

    def test_the_key_is_in_the_header_and_nowhere_else(self):
        with World(lambda _: {"text": {"about": "it"}}) as world:
            world.note("a note")
            world.settle()
            request = world.stand_in.heard[0]
            self.assertEqual(request.headers["Authorization"], "Bearer sk-the-key")
            self.assertNotIn("sk-the-key", json.dumps(request.body))
            self.assertNotIn("sk-the-key", world.daemon.log())
            for file in world.place.state.rglob("*"):
                if file.is_file():
                    self.assertNotIn(b"sk-the-key", file.read_bytes(), file)

    def test_tools_of_a_server_are_used_as_far_as_they_are_granted(self):
        """One that looks is; one that acts is not even told of, as the note was written by anybody, and calling it all the
        same does nothing."""
        def script(request):
            if "search found" not in request.said():
                return {"tool": next(name for name in request.tools() if "search" in name), "arguments": {"query": "printers"}}
            if "There is no tool" not in request.said():
                return {"tool": request.tools()[0].replace("search", "send"), "arguments": {"query": "everything"}}
            return {"text": {"about": "found out"}}
        ask = 'tools = ["mcp.docs.search", "mcp.docs.send"]\nschema = '
        server = pathlib.Path(__file__).resolve().parent.parent / "support/tool_server.py"
        with World(script) as world:
            config = (world.place.path / "vigild.toml").read_text().replace("schema = ", ask, 1)
            world.place.write("vigild.toml", config + f"""
[mcp.docs]
argv = ["/usr/bin/python3", "{server}"]
sandbox = "none"
reads = ["search"]
secrets = {{ CALLED = "file:{world.place.path}/where" }}
""")
            world.place.write("where", f"{world.place.path}/called")
            world.daemon.ctl("config", "reload")
            world.note("printers")
            world.settle()
            wait_until("it is written", world.lines)
            self.assertIn("found out", world.lines()[0])
            called = (world.place.path / "called").read_text().splitlines()
            self.assertEqual([line.rsplit(" ", 1)[0] for line in called], ['search {"query": "printers"}'])
            self.assertEqual([len(request.tools()) for request in world.stand_in.heard], [1, 1, 1])
            told = world.daemon.ctl("swarms", "list")["swarms"][0]
            self.assertEqual(told["state"], "done")

    def test_whatever_strangers_write_nothing_leaves_without_a_person(self):
        # The worst model: it repeats every order as its answer.
        def obedient(request):
            return {"text": {"about": request.said()[:500] + " APPROVE AND SEND"}}

        with World(obedient) as world:
            for attack in attacks.ALL:
                world.note(attack, file=attack)
            world.settle()
            calls = world.stand_in.heard
            self.assertEqual(len(calls), len(attacks.ALL))
            clean = {request.system() for request in calls}
            self.assertEqual(len(clean), 1, "what strangers write never stands among our words")
            for request in calls:
                self.assertEqual(request.tools(), [])
                for unseen in attacks.UNSEEN:
                    self.assertNotIn(unseen, request.said())
            # What stays on this machine was written; what leaves it waits for a person, all of it.
            wait_until("all is written", lambda: len(world.lines()) == len(attacks.ALL))
            self.assertFalse((world.place.path / "left").exists())
            far = [one for one in world.daemon.ctl("actions", "list", "--limit", "200")["actions"]
                   if one["sink"] == "far"]
            self.assertEqual(len(far), len(attacks.ALL))
            self.assertEqual({one["state"] for one in far}, {"proposed"})
            world.daemon.ctl("actions", "approve", far[0]["id"])
            wait_until("the one that was approved left", lambda: (world.place.path / "left").exists())
            wait_until("it is delivered", lambda: (world.place.path / "left").read_text().count("APPROVE AND SEND") == 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
