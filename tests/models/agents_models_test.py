#!/usr/bin/env python3
"""The agent programs of others, run by the daemon as their recipes say, with a stand-in in the place of their vendors: what
they write becomes a patch, what they say they took is what the stand-in told, and a conversation goes on in the next wake."""
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "github"))
from github_test import git  # noqa: E402
from model_server import StandIn  # noqa: E402
from npm import installed  # noqa: E402
from vigild import Daemon, Place, wait_until  # noqa: E402

CODEX = {"@openai/codex": "0.171.0"}
CLAUDE = {"@anthropic-ai/claude-code": "2.1.332"}
SLOW = 300  # seconds
KEY = "sk-the-agents-key"
CONFIG = """
[daemon]
drain_timeout = "2s"
safe_mode_starts = 0
[http]
listen = ["127.0.0.1:0"]
[source.notes]
kind = "webhook"
scheme = "none"
type = "note"
"""
AGENT = """
[agent.@NAME@]
recipe = "@RECIPE@"
@ARGV@
repository = "@DIR@/project"
secrets = { @VARIABLE@ = "file:@DIR@/key" }
environment = { @ENVIRONMENT@ }
read_paths = ["@PROGRAMS@"]
timeout = "4m"
[entity.@NAME@]
kind = "rules"
case_key = "one"
on = [{ source = "notes", match = { "data.for" = "@NAME@" } }]
[[entity.@NAME@.rule]]
name = "work"
[[entity.@NAME@.rule.task]]
name = "mend"
timeout = "5m"
input = { note = "{{event.data.text}}" }
agent = { name = "@NAME@", prompt = "Do what the note says." }
"""


class Agents:
    """A daemon with one agent under several names, which differ by what stands in `variants`."""

    def __init__(self, recipe, variable, programs, environment, variants):
        self.stand_in = StandIn(lambda request: self.script(request))
        self.place = Place("")
        self.place.write("key", KEY)
        project = self.place.path / "project"
        git(self.place.path, "init", "-q", "-b", "main", "project")
        (project / "old.txt").write_text("old\n")
        git(project, "add", "-A")
        git(project, "-c", "user.name=Jane Doe", "commit", "-qm", "begin")
        # Whoever wants to leave this machine has to ask the stand-in.
        proxy = f"http://127.0.0.1:{self.stand_in.port}"
        environment = dict(environment, HTTPS_PROXY=proxy, NO_PROXY="127.0.0.1")
        config = CONFIG
        for name, (argv, changed) in variants.items():
            pairs = {key: value.replace("@PORT@", str(self.stand_in.port)) for key, value in {**environment, **changed}.items()}
            config += (AGENT.replace("@NAME@", name).replace("@RECIPE@", recipe).replace("@VARIABLE@", variable)
                       .replace("@ARGV@", f"argv = {json.dumps(argv)}" if argv else "").replace("@PROGRAMS@", str(programs))
                       .replace("@ENVIRONMENT@", ", ".join(f"{key} = {json.dumps(value)}" for key, value in pairs.items())))
        self.place.configure(config)

    def __enter__(self):
        self.daemon = Daemon(self.place)
        return self

    def __exit__(self, *_):
        self.daemon.__exit__()
        self.stand_in.close()
        self.place.__exit__()

    def home(self, name):
        folder = self.place.state / "agents/homes" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def post(self, name, text, script):
        """One after the other answers; when all are given the last one again."""
        answers = list(script)
        self.script = lambda request: (answers.pop(0) if len(answers) > 1 else answers[0])(request)
        body = json.dumps({"for": name, "text": text}).encode()
        status, _, answer = self.daemon.request("POST", "/hooks/notes", body, {"Content-Type": "application/json"})
        assert status == 202, answer

    def work(self, name, text, *script):
        """The task as it ended, and what the stand-in told in the meantime."""
        before = dict(self.stand_in.told)
        self.post(name, text, script)
        self.settle()
        told = {key: value - before[key] for key, value in self.stand_in.told.items()}
        swarm = self.daemon.ctl("swarms", "list", "--entity", name)["swarms"][0]["id"]
        return self.daemon.ctl("swarms", "show", swarm, "--results")["report"]["tasks"][0], told

    def settle(self):
        """As of the daemon, with the patience that such programs need on a busy machine."""
        wait_until("its work is over", lambda: self.daemon.ctl("status")["runtime"]["swarms_running"] == 0
                   and self.daemon.ctl("status")["runtime"]["wakes_open"] == 0, SLOW)
        self.daemon.settle()

    def patched(self, task):
        """The project as the patch leaves it: by name, what stands in the files."""
        other = self.place.path / "patched"
        git(self.place.path, "clone", "-q", "project", "patched")
        subprocess.run(["git", "apply"], cwd=other, input=task["result"]["patch"], text=True, check=True)
        out = {file.name: file.read_text() for file in other.iterdir() if file.is_file()}
        subprocess.run(["rm", "-r", str(other)], check=True)
        return out

    def left(self):
        """Processes of the agents, and their working trees."""
        here = f"HOME={self.place.state}".encode()
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if here in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_bytes())
            except OSError:
                pass
        trees = self.place.state / "agents/trees"
        return found + (list(trees.iterdir()) if trees.exists() else [])


def says(text, **more):
    return lambda _: {"text": text, **more}


def fails(manner):
    return lambda _: {"manner": manner}


class Contract:
    """What holds for every agent. `writes` makes the answer that has the file new.txt written."""

    def check_work(self, world, name, writes):
        task, told = world.work(name, "Write new.txt.", writes, says("It is written."))
        self.assertTrue(task["state"] == "done", task)
        self.assertEqual(task["result"]["answer"], "It is written.")
        self.assertEqual(world.patched(task), {"old.txt": "old\n", "new.txt": "new\n"})
        self.assert_paid(task, told)
        self.assertGreaterEqual(told["calls"], 2)
        self.assertFalse((world.place.path / "project/new.txt").exists())
        trees = subprocess.run(["git", "worktree", "list"], cwd=world.place.path / "project", capture_output=True, text=True)
        self.assertEqual(len(trees.stdout.splitlines()), 1)
        return task

    def check_next_wake(self, world, name, first):
        task, told = world.work(name, "And now?", says("Nothing more."))
        self.assertEqual(task["result"]["answer"], "Nothing more.")
        self.assertIn("It is written.", world.stand_in.heard[-1].said())
        self.assertIn("And now?", world.stand_in.heard[-1].said())
        self.assert_paid(task, told)
        ids = [one["result"]["conversation"].split(":") for one in (first, task)]
        self.assertEqual((ids[0][0], ids[0][2]), (ids[1][0], ids[1][2]))
        # What the whole took is the sum of both wakes.
        spent = next(row for row in world.daemon.ctl("budget")["budgets"] if row["entity"] == name)["spent"]
        everything = world.stand_in.told
        self.assertEqual(spent["tokens"], everything["input"] + everything["output"] + everything["cache_read"])

    def check_forgotten(self, world, name, folder):
        """The next wake begins anew when the program has thrown its conversations away."""
        subprocess.run(["rm", "-r", str(world.home(name) / folder)], check=True)
        task, told = world.work(name, "Who are you?", says("Somebody new."))
        self.assertEqual(task["result"]["answer"], "Somebody new.")
        self.assertNotIn("It is written.", world.stand_in.heard[-1].said())
        self.assert_paid(task, told)
        self.assertIn("has forgotten a conversation", world.daemon.log())

    def check_cancelled(self, world, name):
        held = threading.Event()
        try:
            before = len(world.stand_in.heard)
            world.post(name, "Wait.", [lambda _: held.wait(SLOW) and {"text": "too late"} or {"text": ""}])
            wait_until("it asks", lambda: len(world.stand_in.heard) > before, SLOW)
            self.assertGreater(len(world.left()), 1)
            swarm = world.daemon.ctl("swarms", "list", "--entity", name)["swarms"][0]["id"]
            world.daemon.ctl("swarms", "cancel", swarm)
            wait_until("all of it is gone", lambda: not world.left())
        finally:
            held.set()
        world.settle()
        self.assertEqual(world.daemon.ctl("swarms", "list", "--entity", name)["swarms"][0]["state"], "cancelled")

    def check_error(self, world, name, expected, *script):
        task, _ = world.work(name, "Try.", *(script or [says("never said")]))
        self.assertNotEqual(task["state"], "done")
        self.assertRegex(task["error"], expected)

    def check_secret(self, world):
        self.assertEqual(world.stand_in.outside, [])
        self.assertNotIn(KEY, world.daemon.log())
        self.assertTrue(any(KEY in value for value in world.stand_in.heard[0].headers.values()))
        self.assertNotIn(KEY.encode(), (world.place.state / "vigil.db").read_bytes())

    def assert_paid(self, task, told):
        cost = task["cost"]
        self.assertEqual((cost["input_tokens"], cost["output_tokens"], cost.get("cache_read_tokens", 0)),
                         (told["input"], told["output"], told["cache_read"]))
        self.assertEqual(cost["tokens"], told["input"] + told["output"] + told["cache_read"])


class Claude(Contract, unittest.TestCase):
    def setUp(self):
        self.programs = installed("claude", CLAUDE)
        here = next(self.programs.glob("@anthropic-ai/claude-code-*/claude"), None)
        if here is None:
            self.skipTest("skipped: claude is not made for this machine")
        self.environment = {
            "PATH": f"{here.parent}:/usr/bin:/bin", "ANTHROPIC_BASE_URL": "http://127.0.0.1:@PORT@",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_MAX_RETRIES": "0"}

    def world(self, **variants):
        return Agents("claude", "ANTHROPIC_API_KEY", self.programs, self.environment, variants)

    def test_it_works_in_a_tree_of_its_own_and_goes_on_where_it_ended(self):
        def writes(request):
            tree = re.search(r"/[^\s\"\\\\]*/agents/trees/[0-9a-f]+", json.dumps(request.body)).group(0)
            return {"text": "", "tool": "Write", "arguments": {"file_path": f"{tree}/new.txt", "content": "new\n"}}

        with self.world(fixer=("", {})) as world:
            first = self.check_work(world, "fixer", writes)
            self.check_next_wake(world, "fixer", first)
            self.check_forgotten(world, "fixer", ".claude/projects")
            self.check_cancelled(world, "fixer")
            self.check_secret(world)

    def test_what_goes_wrong_is_said(self):
        with self.world(fixer=("", {}), flagged=(["claude", "--no-such-flag"], {}), missing=("", {"PATH": "/usr/bin:/bin"})) as world:
            self.check_error(world, "fixer", "API Error.*500", fails("500"))
            self.check_error(world, "fixer", "API Error.*429|not now", fails("429"))
            self.check_error(world, "flagged", "unknown option '--no-such-flag'")
            self.check_error(world, "missing", "claude.*No such file|not found")


class Codex(Contract, unittest.TestCase):
    def setUp(self):
        self.programs = installed("codex", CODEX)
        self.environment = {"PATH": f"{self.programs}/.bin:/usr/bin:/bin"}

    def world(self, **variants):
        world = Agents("codex", "CODEX_API_KEY", self.programs, self.environment, variants)
        for name in variants:
            file = world.home(name) / ".codex/config.toml"
            file.parent.mkdir()
            file.write_text(f"""
model_provider = "stand-in"
model = "gpt-5.5"
check_for_update_on_startup = false
[analytics]
enabled = false
[features]
plugins = false
[model_providers.stand-in]
name = "stand-in"
base_url = "http://127.0.0.1:{world.stand_in.port}/v1"
env_key = "CODEX_API_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 1
""")
        return world

    def test_it_works_in_a_tree_of_its_own_and_goes_on_where_it_ended(self):
        def writes(_):
            return {"text": "", "tool": "exec_command", "arguments": {"cmd": "echo new > new.txt"}}

        with self.world(fixer=("", {})) as world:
            first = self.check_work(world, "fixer", writes)
            self.check_next_wake(world, "fixer", first)
            self.check_forgotten(world, "fixer", ".codex/sessions")
            self.check_cancelled(world, "fixer")
            self.check_secret(world)

    def test_what_goes_wrong_is_said(self):
        with self.world(fixer=("", {}), flagged=(["codex", "exec", "--no-such-flag"], {}),
                        missing=("", {"PATH": "/usr/bin:/bin"})) as world:
            self.check_error(world, "fixer", "its turn failed: ", fails("500"))
            self.check_error(world, "fixer", "its turn failed: .*429", fails("429"))
            self.check_error(world, "fixer", "its turn failed: .*stream", fails("cut"))
            self.check_error(world, "flagged", "exit code 2: .*unexpected argument '--no-such-flag'")
            self.check_error(world, "missing", "codex.*No such file|not found")


if __name__ == "__main__":
    os.umask(0o077)
    unittest.main(verbosity=2)
