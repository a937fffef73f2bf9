#!/usr/bin/env python3
"""A pull request from its opening to its end against a stand-in for GitHub's API: push, case, swarm, one comment that is
edited for each push, one status for each commit; with lost answers, errors, and the daemon killed in the middle."""
import collections
import http.server
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import Daemon, Place, real_payload, wait_until  # noqa: E402

TOKEN = "a-token-that-only-the-sink-knows"
REPOSITORY = "octo/project"
NUMBER = 7
KEY = "AKIA" + "Q3EGRIK7WJ5MZT4X"  # the form of a key, of nobody

CONFIG = """
[daemon]
safe_mode_starts = 0  # it is killed on purpose, often
drain_timeout = "2s"
[http]
listen = ["127.0.0.1:0"]
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
[source.github]
kind = "webhook"
scheme = "github"
secrets = ["file:@DIR@/secret"]
[sink.github]
kind = "github"
base_url = "http://127.0.0.1:@PORT@/api/v3"
token = "file:@DIR@/token"
[entity.keeper]
kind = "codebase"
autonomy = "propose"
autonomy_of = { comment = "act", status = "act" }
[[entity.keeper.on]]
source = "github"
[entity.keeper.reactivity]
cancel_on = ["github.pull_request.synchronize", "github.pull_request.closed"]
[entity.keeper.codebase]
repository = "@DIR@/project.git"
branch = "main"
analysers = ["secrets", "conflicts", "size"]
report_sink = "github"
status_sink = "github"
[[entity.keeper.codebase.command]]
name = "slow"
argv = ["sh", "-c", "test ! -e slow || sleep 2"]
"""

Asked = collections.namedtuple("Asked", "method path body")


class Api:
    """What GitHub keeps: comments and statuses. `faults` are taken one for each request that writes a comment:
    (status, headers, whether it was kept all the same); `hold` keeps the answer back until it is let go."""

    def __init__(self):
        self.lock = threading.Lock()
        self.comments = {}
        self.statuses = collections.defaultdict(list)
        self.asked = []
        self.faults = []
        self.strangers = []
        self.hold = None
        self.held = threading.Event()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, value, headers=()):
                body = json.dumps(value).encode()
                self.send_response(status)
                for name, text in headers:
                    self.send_header(name, text)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle_one(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                if self.headers.get("Authorization") != f"Bearer {TOKEN}" or not self.headers.get("User-Agent"):
                    api.strangers.append(self.path)
                    return self.answer(401, {"message": "Bad credentials"})
                status, value, headers = api.handle(Asked(self.command, self.path, body))
                gate = api.hold
                if gate is not None and self.command in ("POST", "PATCH") and "/comments" in self.path:
                    api.held.set()
                    gate.wait(60)
                    return self.connection.close()
                return self.answer(status, value, headers)

            do_GET = do_POST = do_PATCH = handle_one

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # who asked was killed

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handle(self, asked):
        with self.lock:
            self.asked.append(asked)
            writes_comment = asked.method != "GET" and "/comments" in asked.path
            fault = self.faults.pop(0) if writes_comment and self.faults else None
            if fault and not fault[2]:
                return fault[0], {"message": "as the test wants it"}, fault[1]
            status, value = self.serve(asked)
            return (fault[0], {"message": "lost"}, fault[1]) if fault else (status, value, ())

    def serve(self, asked):
        base = f"/api/v3/repos/{REPOSITORY}"
        if asked.path.startswith(f"{base}/issues/{NUMBER}/comments"):
            if asked.method == "POST":
                number = 1000 + len(self.asked)
                self.comments[number] = [asked.body["body"]]
                return 201, {"id": number, "html_url": f"https://forge.example/{number}", "body": asked.body["body"]}
            page = int(re.search(r"[?&]page=(\d+)", asked.path).group(1))
            others = [{"id": n, "body": "somebody says something"} for n in range(1, 131)]
            mine = [{"id": n, "body": all_of[-1]} for n, all_of in sorted(self.comments.items())]
            return 200, (others + mine)[(page - 1) * 100:page * 100]
        one = re.fullmatch(re.escape(base) + r"/issues/comments/(\d+)", asked.path)
        if one and asked.method == "PATCH":
            if int(one.group(1)) not in self.comments:
                return 404, {"message": "Not Found"}
            self.comments[int(one.group(1))].append(asked.body["body"])
            return 200, {"id": int(one.group(1)), "body": asked.body["body"]}
        commit = re.fullmatch(re.escape(base) + r"/statuses/([0-9a-f]{40})", asked.path)
        if commit and asked.method == "POST":
            self.statuses[commit.group(1)].append(asked.body["state"])
            return 201, {"id": len(self.asked), "state": asked.body["state"]}
        return 404, {"message": "Not Found"}

    def state_of(self, commit):
        return self.statuses[commit][-1] if self.statuses[commit] else None

    def count(self, method, part):
        return sum(1 for asked in self.asked if asked.method == method and part in asked.path)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def git(folder, *arguments):
    return subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false",
                           "-c", "init.defaultBranch=main", *arguments], cwd=folder, check=True, capture_output=True,
                          text=True).stdout.strip()


class World(Place):
    """A bare repository as the forge's, a work tree that pushes to it, the stand-in, and who posts the webhooks."""

    def __init__(self):
        self.api = Api()
        self.serial = 0
        super().__init__(CONFIG.replace("@PORT@", str(self.api.port)))
        self.write("token", TOKEN)
        self.tree = self.path / "tree"
        git(self.path, "init", "-q", "--bare", "project.git")
        git(self.path, "clone", "-q", "project.git", "tree")
        self.base = self.commit({"main.py": "print('hello')\n"}, branch="main")
        git(self.tree, "switch", "-qc", "topic")

    def commit(self, files, branch="topic"):
        for name, text in files.items():
            if text is None:
                (self.tree / name).unlink()
            else:
                (self.tree / name).write_text(text)
        git(self.tree, "add", "-A")
        git(self.tree, "commit", "-qm", f"Change {', '.join(files)} for a reason")
        git(self.tree, "push", "-q", "-f", "origin", f"HEAD:{branch}")
        return git(self.tree, "rev-parse", "HEAD")

    def payload(self, action, head, merged=False):
        payload = json.loads(real_payload())
        self.serial += 1
        payload.update(action=action, number=NUMBER, serial=self.serial)  # the same bytes twice are one event
        payload["repository"].update(full_name=REPOSITORY)
        pull = payload["pull_request"]
        pull.update(number=NUMBER, merged=merged, state="closed" if action == "closed" else "open")
        pull["head"].update(sha=head, ref="topic")
        pull["base"].update(sha=self.base, ref="main")
        return payload

    def tell(self, daemon, action, head, **more):
        status, answer = daemon.post_github(self.payload(action, head, **more))
        assert status == 202, answer
        return answer["id"]

    def ends(self, head, state):
        return wait_until(f"{head[:9]} is {state}", lambda: self.api.state_of(head) == state)

    def only_comment(self):
        """All texts of the one comment there is, oldest first."""
        assert len(self.api.comments) == 1, self.api.comments
        return next(iter(self.api.comments.values()))

    def __exit__(self, *stack):
        self.api.close()
        super().__exit__(*stack)
        assert not self.api.strangers, self.api.strangers


def nothing_left(daemon):
    """No wake, no swarm, and nothing on its way to the forge."""
    def quiet():
        now = daemon.ctl("status")["runtime"]
        on_the_way = [one for one in daemon.ctl("actions", "list")["actions"]
                      if one["state"] in ("approved", "sending", "proposed")]
        return now["unrouted"] == 0 and now["wakes_open"] == 0 and now["swarms_running"] == 0 and not on_the_way
    wait_until("nothing is left to do", quiet)


class PullRequest(unittest.TestCase):
    def test_from_its_opening_to_its_end(self):
        with World() as world, Daemon(world) as daemon:
            api = world.api
            bad = world.commit({"settings.py": f"import os\naccess = '{KEY}'\n"})
            world.tell(daemon, "opened", bad)
            world.ends(bad, "failure")
            nothing_left(daemon)
            self.assertEqual(api.statuses[bad], ["pending", "failure"])
            self.assertEqual(len(world.only_comment()), 1)
            self.assertIn("`settings.py:2`", world.only_comment()[-1])
            self.assertNotIn(KEY, json.dumps([asked.body for asked in api.asked]))
            worse = world.commit({"main.py": "<<<<<<< HEAD\nprint('a')\n=======\nprint('b')\n>>>>>>> x\n"})
            world.tell(daemon, "synchronize", worse)
            world.ends(worse, "failure")
            nothing_left(daemon)
            self.assertEqual(len(world.only_comment()), 2)
            self.assertRegex(world.only_comment()[-1], r"`main.py:1`.*\*\*new\*\*")
            self.assertRegex(world.only_comment()[-1], r"`settings.py:2`.*\)\n")
            self.assertIn("1 of its 2 files are as they were at the last look", world.only_comment()[-1])
            good = world.commit({"settings.py": "import os\n", "main.py": "print('hello')\n"})
            world.tell(daemon, "synchronize", good)
            world.ends(good, "success")
            nothing_left(daemon)
            self.assertEqual(len(world.only_comment()), 3)
            self.assertIn("No longer there", world.only_comment()[-1])
            asked = len(api.asked)
            world.tell(daemon, "synchronize", good)  # told again: it is reviewed already
            world.tell(daemon, "labeled", good)
            world.tell(daemon, "closed", good, merged=True)
            nothing_left(daemon)
            self.assertEqual(len(api.asked), asked)
            self.assertEqual(api.count("POST", "/comments"), 1)

    def test_a_clean_change_is_commented_by_nobody(self):
        with World() as world, Daemon(world) as daemon:
            head = world.commit({"more.py": "print('more')\n", "test_more.py": "assert True\n"})
            world.tell(daemon, "opened", head)
            world.ends(head, "success")
            nothing_left(daemon)
            self.assertEqual(world.api.statuses[head], ["pending", "success"])
            self.assertEqual(world.api.count("GET", "") + world.api.count("POST", "/comments"), 0)

    def test_a_comment_that_a_person_deleted_is_written_anew_once(self):
        with World() as world, Daemon(world) as daemon:
            head = world.commit({"settings.py": f"access = '{KEY}'\n"})
            world.tell(daemon, "opened", head)
            world.ends(head, "failure")
            nothing_left(daemon)
            world.api.comments.clear()
            head = world.commit({"settings.py": f"access = '{KEY}'\nmore = 1\n"})
            world.tell(daemon, "synchronize", head)
            world.ends(head, "failure")
            nothing_left(daemon)
            self.assertEqual(len(world.only_comment()), 1)

    def test_pushes_that_overtake_each_other_are_told_once(self):
        with World() as world, Daemon(world) as daemon:
            heads = []
            for number in range(5):
                heads.append(world.commit({"slow": "", "settings.py": f"access = '{KEY}'\nn = {number}\n"}))
                world.tell(daemon, "opened" if number == 0 else "synchronize", heads[-1])
                time.sleep(0.3)
            world.ends(heads[-1], "failure")
            nothing_left(daemon)
            self.assertEqual(len(world.only_comment()), 1)
            for head in heads[:-1]:
                self.assertNotIn("failure", world.api.statuses[head])
            states = collections.Counter(one["state"] for one in daemon.ctl("swarms", "list")["swarms"])
            self.assertEqual(states["done"], 1, states)
            self.assertEqual(sum(states.values()) - states["done"], states["cancelled"], states)

    def test_an_api_in_trouble_gets_one_comment_all_the_same(self):
        with World() as world, Daemon(world) as daemon:
            world.api.faults = [(502, (), True),  # it was kept, and nobody heard so
                                (403, (("Retry-After", "1"), ("x-ratelimit-remaining", "0")), False)]
            head = world.commit({"settings.py": f"access = '{KEY}'\n"})
            world.tell(daemon, "opened", head)
            world.ends(head, "failure")
            nothing_left(daemon)
            self.assertEqual(world.api.faults, [])
            self.assertEqual(len(world.api.comments), 1)
            self.assertEqual(world.api.count("POST", "/comments"), 1)


class Killed(unittest.TestCase):
    def test_between_the_comment_and_its_answer(self):
        with World() as world:
            world.api.hold = threading.Event()
            head = world.commit({"settings.py": f"access = '{KEY}'\n"})
            with Daemon(world) as daemon:
                world.tell(daemon, "opened", head)
                self.assertTrue(world.api.held.wait(60))
                daemon.kill()
            gate, world.api.hold = world.api.hold, None
            gate.set()
            self.assertEqual(len(world.api.comments), 1)
            with Daemon(world) as daemon:
                world.ends(head, "failure")
                nothing_left(daemon)
            self.assertEqual(world.api.count("POST", "/comments"), 1)
            self.assertIn("`settings.py:1`", world.only_comment()[-1])

    def test_at_any_moment(self):
        seed = int(os.environ.get("VIGIL_SEED") or random.randrange(1 << 32))
        cycles = int(os.environ.get("VIGIL_CYCLES") or 6)
        chance = random.Random(seed)
        with self.subTest(seed=seed), World() as world:
            for number in range(cycles):
                head = world.commit({"settings.py": f"access = '{KEY}'\nn = {number}\n"})
                with Daemon(world) as daemon:
                    world.tell(daemon, "opened" if number == 0 else "synchronize", head)
                    time.sleep(chance.uniform(0, 2))
                    daemon.kill()
            with Daemon(world) as daemon:
                world.ends(head, "failure")
                nothing_left(daemon)
                self.assertIn(head[:9], world.only_comment()[-1])
                self.assertEqual(world.api.count("POST", "/comments"), 1)
                texts = world.only_comment()
                # An edit whose answer was lost may come twice with the same words; never more than that.
                self.assertLessEqual(len(texts), 2 * cycles)
                for text in set(texts):
                    self.assertLessEqual(texts.count(text), 2)


if __name__ == "__main__":
    unittest.main()
