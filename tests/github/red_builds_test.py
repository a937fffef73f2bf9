#!/usr/bin/env python3
"""A local bare repository, watched; a stand-in for GitHub's API; pushes with a history of their own. A build that turns
red is bisected side by side in the promised number of rounds, through kill -9 of the daemon, and its cause is told once."""
import json
import os
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from github_test import REPOSITORY, TOKEN, Api, git, nothing_left  # noqa: E402
from vigild import Daemon, Place, wait_until  # noqa: E402

WIDTH = 3
CONFIG = """
[daemon]
safe_mode_starts = 0  # it is killed on purpose, often
drain_timeout = "2s"
[http]
listen = ["127.0.0.1:0"]
[swarm]
slots = 5
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
[source.repo]
kind = "repository"
path = "@DIR@/project.git"
name = "octo/project"
backfill = true
[sink.github]
kind = "github"
base_url = "http://127.0.0.1:@PORT@/api/v3"
token = "file:@DIR@/token"
[entity.keeper]
kind = "codebase"
autonomy = "act"
autonomy_of = { comment = "act", status = "act" }
[[entity.keeper.on]]
source = "repo"
match = { "data.ref" = "refs/heads/main" }
[entity.keeper.codebase]
repository = "@DIR@/project.git"
branch = "main"
analysers = ["size"]
report_sink = "github"
status_sink = "github"
[entity.keeper.codebase.red_builds]
width = 3
[[entity.keeper.codebase.command]]
name = "unit"
argv = ["sh", "check.sh"]
reports = ["report.xml"]
"""

# A test suite of two tests; one of them is about sum.txt.
CHECK = """
sleep 0.2
echo '<testsuite name="suite"><testcase classname="suite" name="reads"/>' > report.xml
if test "$(cat sum.txt)" = 4; then
  echo '<testcase classname="suite" name="adds"/></testsuite>' >> report.xml
else
  echo '<testcase classname="suite" name="adds"><failure message="wanted 4, there is something else"/></testcase>' \\
    >> report.xml
  echo '</testsuite>' >> report.xml
  exit 1
fi
"""


def rounds_for(candidates, width):
    rounds, reach = 0, 1
    while reach < candidates:
        rounds, reach = rounds + 1, reach * (width + 1)
    return rounds


class World(Place):
    def __init__(self):
        self.api = Api()
        self.number = 0
        super().__init__(CONFIG.replace("@PORT@", str(self.api.port)))
        self.write("token", TOKEN)
        self.tree = self.path / "tree"
        git(self.path, "init", "-q", "--bare", "project.git")
        git(self.path, "clone", "-q", "project.git", "tree")
        git(self.tree, "checkout", "-qB", "main")
        (self.tree / "check.sh").write_text(CHECK)
        (self.tree / "sum.txt").write_text("4\n")
        self.good = self.commit()

    def commit(self, total=None):
        """One more commit on main, every fifth by a merge; its id."""
        self.number += 1
        side = self.number % 5 == 0
        if side:
            git(self.tree, "checkout", "-qb", f"side-{self.number}")
        (self.tree / f"file-{self.number % 7}.txt").write_text(f"{self.number}\n")
        if total is not None:
            (self.tree / "sum.txt").write_text(f"{total}\n")
        git(self.tree, "add", "-A")
        git(self.tree, "-c", "user.name=Jane Doe", "commit", "-qm", f"Change number {self.number}")
        if side:
            git(self.tree, "checkout", "-q", "main")
            git(self.tree, "merge", "-q", "--no-ff", "-m", f"Merge number {self.number}", f"side-{self.number}")
        return git(self.tree, "rev-parse", "HEAD")

    def push(self):
        git(self.tree, "push", "-q", "origin", "main")
        return git(self.tree, "rev-parse", "HEAD")

    def ends(self, head, state):
        return wait_until(f"{head[:9]} is {state}", lambda: self.api.state_of(head) == state)

    def causes(self):
        """What was said about first bad commits: (commit, description)."""
        told = []
        for asked in self.api.asked:
            if asked.method == "POST" and asked.body and asked.body.get("context") == "vigild/first-bad":
                told.append((asked.path.rsplit("/", 1)[1], asked.body["description"]))
        return told

    def __exit__(self, *stack):
        self.api.close()
        super().__exit__(*stack)


def rounds_of(daemon):
    titles = [one["title"] for one in daemon.ctl("swarms", "list")["swarms"]]
    return sorted(title for title in titles if "round" in title)


class RedBuild(unittest.TestCase):
    def break_main(self, world, daemon, commits, bad):
        """A green push, then many commits at once, the one numbered `bad` of them breaks it."""
        world.push()
        world.ends(world.good, "success")
        for number in range(1, commits + 1):
            made = world.commit(5 if number == bad else None)
            culprit = made if number == bad else (culprit if number > bad else None)
        return culprit, world.push()

    def test_is_bisected_in_the_promised_rounds(self):
        with World() as world, Daemon(world) as daemon:
            culprit, head = self.break_main(world, daemon, 40, 17)
            world.ends(head, "failure")
            wait_until("the cause is told", world.causes)
            nothing_left(daemon)
            self.assertEqual(rounds_for(40, WIDTH), 3)
            titles = rounds_of(daemon)
            self.assertEqual([title.split(": ")[1] for title in titles],
                             ["round 1 of 3", "round 2 of 3", "round 3 of 3"])
            self.assertEqual([commit for commit, _ in world.causes()], [culprit])
            self.assertRegex(world.causes()[0][1], rf"^unit is broken since {culprit[:9]} \(Jane Doe, .*: Change")
            self.assertIn(culprit, json.dumps(daemon.ctl("memory", "show", "keeper")))
            # It is mended, breaks in the same way, and is known.
            world.commit(4)
            mended = world.push()
            world.ends(mended, "success")
            world.commit(5)
            again = world.push()
            world.ends(again, "failure")
            wait_until("the second cause is told", lambda: len(world.causes()) == 2)
            nothing_left(daemon)
            self.assertEqual(world.causes()[1][0], again)
            whys = " ".join(one["why"] for one in daemon.ctl("decisions", "list")["decisions"])
            self.assertRegex(whys, rf"seen before in octo/project@main on .*it ended with {mended[:9]}")

    def test_through_kill_9_at_any_moment(self):
        seed = int(os.environ.get("VIGIL_SEED") or random.randrange(1 << 32))
        chance = random.Random(seed)
        with self.subTest(seed=seed), World() as world:
            with Daemon(world) as daemon:
                culprit, head = self.break_main(world, daemon, 24, 11)
                world.ends(head, "failure")
                daemon.kill()
            for _ in range(4):
                with Daemon(world) as daemon:
                    time.sleep(chance.uniform(0, 1.5))
                    daemon.kill()
            with Daemon(world) as daemon:
                wait_until("the cause is told", world.causes)
                nothing_left(daemon)
                self.assertEqual({commit for commit, _ in world.causes()}, {culprit})
                self.assertLessEqual(len(world.causes()), 2)  # an answer that was lost is asked for again
                titles = rounds_of(daemon)
                self.assertEqual(len(titles), len(set(titles)), titles)
                self.assertEqual(len(titles), rounds_for(24, WIDTH))


if __name__ == "__main__":
    unittest.main()
