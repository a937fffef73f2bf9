#!/usr/bin/env python3
"""The promises of docs/design.md part 1 and the errors a person meets, seen from outside the real programs."""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import (BIN, Daemon, Place, SECRET, real_payload, run_ctl, signature, wait_until)  # noqa: E402

DOORS = """
[daemon]
drain_timeout = "5s"
[http]
listen = ["127.0.0.1:0"]
head_timeout = "1s"
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
[source.github]
kind = "webhook"
scheme = "github"
secrets = ["file:@DIR@/secret"]
[source.local]
kind = "webhook"
scheme = "none"
type = "note.made"
[sink.out]
kind = "file"
path = "@DIR@/out.jsonl"
"""

NOTES = """
[entity.clerk]
kind = "rules"
autonomy = "act"
case_key = "{{event.subject}}"
[[entity.clerk.on]]
source = "*"
types = ["note.*"]
[[entity.clerk.rule]]
name = "write-down"
remember = "note: {{event.data.text}}"
[[entity.clerk.rule.action]]
sink = "out"
payload = { text = "{{event.data.text}}" }
"""


def emit(daemon, text, subject="desk", **more):
    data = json.dumps(dict(text=text, **more))
    return daemon.ctl("events", "emit", "--type", "note.made", "--subject", subject, "--data", data)


def written(place):
    file = place.path / "out.jsonl"
    return file.read_text().splitlines() if file.exists() else []


def git(folder, *arguments):
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c",
                    "commit.gpgsign=false", *arguments], cwd=folder, check=True,
                   capture_output=True)


def make_repository(folder):
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "main.py").write_text("print('hello')\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "begin")
    key = "AKIA" + "Q3EGRIK7WJ5MZT4X"
    (folder / "settings.py").write_text(f"import os\nregion = 'eu'\naccess = '{key}'\n")
    (folder / "main.py").write_text("<<<<<<< HEAD\nprint('hello')\n=======\nprint('hi')\n>>>>>>> x\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "settings")


class MainJob(unittest.TestCase):
    """From a signed webhook to a remembered, acted-on outcome."""

    CODEBASE = DOORS + """
[entity.keeper]
kind = "codebase"
autonomy = "act"
[[entity.keeper.on]]
source = "github"
[entity.keeper.codebase]
repository = "@DIR@/repository"
report_sink = "out"
"""

    def test_a_pull_request_is_reviewed(self):
        with Place(self.CODEBASE) as place:
            make_repository(place.path / "repository")
            with Daemon(place) as daemon:
                status, answer = daemon.post_github(real_payload(), delivery="d-1")
                self.assertEqual((status, answer["status"]), (202, "accepted"))
                self.assertEqual(daemon.post_github(real_payload(), delivery="d-1")[0], 200)
                daemon.settle()
                swarms = daemon.ctl("swarms", "list")["swarms"]
                self.assertEqual(len(swarms), 1)
                shown = daemon.ctl("swarms", "show", swarms[0]["id"])
                self.assertEqual(shown["state"], "done", shown)
                wait_until("the review is delivered", lambda: written(place))
                review = "\n".join(written(place))
                self.assertIn("settings.py:3", review)
                self.assertIn("main.py:1", review)
                told = daemon.ctl_text("explain", answer["id"])
                self.assertIn("keeper", told)
                self.assertIn("swarm", told)
                found = daemon.ctl_text("memory", "search", "settings.py")
                self.assertIn("settings", found)
                # What became of a second, later event of the same pull request is its own row.
                daemon.post_github(real_payload("pull_request.synchronize"), delivery="d-2")
                daemon.settle()
                self.assertEqual(len(daemon.ctl("cases", "list")["cases"]), 1)


class Doors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Place(DOORS + NOTES)
        cls.daemon = Daemon(cls.place)

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()
        cls.place.__exit__()

    def raw(self, data, half_close=False):
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=30) as door:
            door.sendall(data)
            if half_close:
                door.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := door.recv(65536):
                answer += chunk
                if b"\r\n\r\n" in answer and b"400" not in answer[:20]:
                    break
            return answer.decode(errors="replace")

    def post(self, body, signed=True, **headers):
        given = {"Content-Type": "application/json", "X-GitHub-Event": "push",
                 "X-GitHub-Delivery": os.urandom(8).hex()}
        if signed:
            given["X-Hub-Signature-256"] = signature(body)
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        status, _, answer = self.daemon.request("POST", "/hooks/github", body, given)
        return status, json.loads(answer)

    def refused(self, expected, status_and_answer):
        status, answer = status_and_answer
        self.assertEqual(status, expected, answer)
        self.assertTrue(answer.get("error"), answer)

    def test_what_is_wrong_is_said_and_nothing_is_stored(self):
        before = self.daemon.ctl("status")["last_event"]
        self.refused(401, self.post(b"{}", signed=False))
        self.refused(401, self.post(b"{}", X_Hub_Signature_256="sha256=" + "0" * 64))
        self.refused(401, self.post(b"{}", X_Hub_Signature_256="nonsense"))
        self.refused(400, self.post(b"{not json"))
        self.refused(400, self.post(b"\"\xff\xfe\""))
        self.refused(400, self.post(b"[" * 2000 + b"]" * 2000))
        status, _, answer = self.daemon.request("POST", "/hooks/nobody", b"{}")
        self.refused(404, (status, json.loads(answer)))
        status, headers, answer = self.daemon.request("GET", "/hooks/github")
        self.refused(405, (status, json.loads(answer)))
        self.assertIn("POST", headers.get("Allow", ""))
        status, _, _ = self.daemon.request("GET", "/anything/else")
        self.assertEqual(status, 404)
        self.assertEqual(self.daemon.ctl("status")["last_event"], before)

    def test_what_is_too_large_is_refused_before_it_is_sent(self):
        answer = self.raw(b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        self.assertIn(" 413 ", answer)
        answer = self.raw(b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70000 + b"\r\n\r\n")
        self.assertRegex(answer, r" 4(31|00) ")

    def test_broken_framing_is_refused(self):
        self.assertIn(" 411 ", self.raw(b"POST /hooks/github HTTP/1.1\r\nHost: x\r\n"
                                        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
        for bad in (b"GARBAGE\r\n\r\n", b"POST /hooks/github HTTP/1.1\nHost: x\n\n",
                    b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
                    b"Content-Length: 2\r\n\r\nab",
                    b"POST /hooks/github HTTP/1.1\r\nHost : x\r\nContent-Length: 0\r\n\r\n"):
            self.assertIn(" 400 ", self.raw(bad), bad)

    def test_a_connection_cut_in_the_body_leaves_nothing(self):
        before = self.daemon.ctl("status")["last_event"]
        with socket.create_connection(("127.0.0.1", self.daemon.port)) as door:
            door.sendall(b"POST /hooks/local HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                         b"Content-Length: 100\r\n\r\n{\"text\":")
        self.assertEqual(self.daemon.ctl("status")["last_event"], before)

    def test_a_slow_sender_is_let_go_and_others_are_served(self):
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=30) as slow:
            slow.sendall(b"POST /hooks/local HTTP/1.1\r\nHost:")
            self.assertEqual(self.post(b'{"ref":"main"}')[0], 202)
            answer = slow.recv(4096)  # the head's deadline is one second here
            self.assertTrue(answer == b"" or b" 408 " in answer, answer)

    def test_an_event_nobody_wants_is_answered_in_the_ledger(self):
        status, answer = self.post(b'{"what":"news"}', X_GitHub_Event="never_heard_of")
        self.assertEqual(status, 202)
        self.daemon.settle()
        self.assertIn("no entity", self.daemon.ctl_text("explain", answer["id"]))

    def test_a_webhook_without_a_signature_works_on_loopback(self):
        status, _, answer = self.daemon.request(
            "POST", "/hooks/local", b'{"text":"by curl"}', {"Content-Type": "application/json"})
        self.assertEqual(status, 202, answer)
        wait_until("it is written", lambda: any("by curl" in x for x in written(self.place)))

    def test_the_tail_shows_what_happens(self):
        tail = subprocess.Popen([str(BIN / "vigilctl"), "--socket",
                                 str(self.place.state / "admin.sock"), "events", "tail", "-f",
                                 "--json"], stdout=subprocess.PIPE, text=True)
        try:
            def heard():
                emit(self.daemon, "for the tail")
                return True
            time.sleep(0.5)
            heard()
            line = tail.stdout.readline()
            self.assertIn("note.made", line)
        finally:
            tail.kill()
            tail.wait()
            tail.stdout.close()

    def test_metrics_and_health_are_there(self):
        text = run_ctl(self.place, "metrics").stdout
        self.assertIn("# TYPE", text)
        self.assertRegex(text, r"vigild_\w+")


class Work(unittest.TestCase):
    def test_a_proposal_waits_for_a_person(self):
        config = DOORS + NOTES.replace('autonomy = "act"', 'autonomy = "propose"')
        with Place(config) as place, Daemon(place) as daemon:
            emit(daemon, "one")
            emit(daemon, "two", subject="shelf")
            daemon.settle()
            waiting = daemon.ctl("actions", "list", "--state", "proposed")["actions"]
            self.assertEqual(len(waiting), 2)
            self.assertEqual(written(place), [])
            first = next(a for a in waiting if a["payload"]["text"] == "one")
            other = next(a for a in waiting if a["payload"]["text"] == "two")
            daemon.ctl("actions", "approve", first["id"])
            daemon.ctl("actions", "deny", other["id"])
            wait_until("it is delivered", lambda: written(place))
            daemon.settle()
            self.assertIn("one", "".join(written(place)))
            self.assertNotIn("two", "".join(written(place)))
            daemon.ctl("feedback", first["id"], "useful")
            daemon.settle()
            self.assertEqual(run_ctl(place, "actions", "approve", other["id"]).returncode, 1)

    def test_a_paused_entity_waits_and_loses_nothing(self):
        with Place(DOORS + NOTES) as place, Daemon(place) as daemon:
            daemon.ctl("entities", "pause", "clerk")
            emit(daemon, "later")
            wait_until("it is routed", lambda: daemon.ctl("status")["runtime"]["wakes_open"] == 1)
            self.assertEqual(written(place), [])
            daemon.ctl("entities", "resume", "clerk")
            wait_until("it is written", lambda: written(place))

    def test_children_that_misbehave_are_named(self):
        rules = DOORS + """
[entity.runner]
kind = "rules"
autonomy = "act"
case_key = "{{event.subject}}"
[[entity.runner.on]]
source = "admin"
"""
        tasks = {
            "flood": ["/usr/bin/python3", "-c", "print('x' * 9_000_000)"],
            "stubborn": ["/usr/bin/python3", "-c", "import signal,time\n"
                         "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)"],
            "family": ["/bin/sh", "-c", "sleep 613 & sleep 613 & echo made"],
            "missing": ["/no/such/program"],
            "fails": ["/bin/sh", "-c", "echo because >&2; exit 3"],
        }
        for name, argv in tasks.items():
            rules += (f'[[entity.runner.rule]]\nname = "{name}"\nmatch = {{ subject = "{name}" }}\n'
                      f'[[entity.runner.rule.task]]\nname = "{name}"\nsandbox = "none"\n'
                      f'timeout = "2s"\nargv = {json.dumps(argv)}\n')
        with Place(rules) as place, Daemon(place) as daemon:
            for name in tasks:
                daemon.ctl("events", "emit", "--type", "go.now", "--subject", name)
            daemon.settle()
            swarms = daemon.ctl("swarms", "list")["swarms"]
            self.assertEqual(len(swarms), len(tasks))
            outcome = {}
            for swarm in swarms:
                shown = daemon.ctl("swarms", "show", swarm["id"])
                task = shown["report"]["tasks"][0]
                outcome[task["name"]] = task
            self.assertEqual(outcome["flood"]["state"], "done")
            self.assertGreater(outcome["flood"]["output_cut_bytes"], 1_000_000)
            self.assertEqual(outcome["stubborn"]["state"], "failed")
            self.assertIn("2", outcome["stubborn"]["error"])
            self.assertEqual(outcome["family"]["state"], "done")
            self.assertEqual(outcome["missing"]["state"], "failed")
            self.assertIn("/no/such/program", outcome["missing"]["error"])
            self.assertEqual(outcome["fails"]["state"], "failed")
            self.assertIn("because", outcome["fails"]["error"])
            left = subprocess.run(["pgrep", "-f", "sleep 613"], capture_output=True, text=True)
            self.assertEqual(left.stdout, "", "grandchildren outlived their task")

    def test_a_failed_swarm_is_tried_again_from_what_is_done(self):
        config = DOORS + """
[entity.runner]
kind = "rules"
case_key = "{{event.subject}}"
[[entity.runner.on]]
source = "admin"
[[entity.runner.rule]]
name = "go"
[[entity.runner.rule.task]]
name = "first"
sandbox = "none"
argv = ["/bin/sh", "-c", "echo ran >>@DIR@/first; echo 1"]
[[entity.runner.rule.task]]
name = "second"
sandbox = "none"
needs = ["first"]
argv = ["/bin/sh", "-c", "test -e @DIR@/open"]
"""
        with Place(config) as place, Daemon(place) as daemon:
            daemon.ctl("events", "emit", "--type", "go.now", "--subject", "x")
            daemon.settle()
            swarm = daemon.ctl("swarms", "list")["swarms"][0]
            self.assertEqual(swarm["state"], "failed")
            place.write("open", "")
            daemon.ctl("swarms", "retry", swarm["id"])
            daemon.settle()
            self.assertEqual(daemon.ctl("swarms", "show", swarm["id"])["state"], "done")
            self.assertEqual((place.path / "first").read_text(), "ran\n")
            refused = daemon.ctl_text("swarms", "retry", swarm["id"], expect=1)
            self.assertIn("nothing to try again", refused)

    def test_a_plan_from_a_file_runs_and_the_trend_shows_it(self):
        plan = {"title": "by hand", "tasks": [
            {"name": "one", "containment": "none", "argv": ["/bin/sh", "-c", "echo 41"]},
            {"name": "two", "containment": "none", "needs": ["one"],
             "argv": ["/bin/sh", "-c", "test ! -e @DIR@/fail; echo deep; test ! -e @DIR@/fail"]}]}
        with Place(DOORS + NOTES) as place, Daemon(place) as daemon:
            text = json.dumps(plan).replace("@DIR@", str(place.path))
            file = place.write("plan.json", text)
            self.assertIn("no swarm", daemon.ctl_text("swarms", "trend"))
            told = daemon.ctl_text("swarms", "run", file, "--entity", "clerk", "--watch")
            self.assertIn("2 of 2 tasks done", told)
            swarm = daemon.ctl("swarms", "list")["swarms"][0]
            shown = daemon.ctl_text("swarms", "show", swarm["id"], "--results")
            self.assertIn("41", shown)
            self.assertIn("deep", shown)
            daemon.settle()
            trend = daemon.ctl("swarms", "trend", "--entity", "clerk")["total"]
            self.assertEqual((trend["swarms"], trend["ok"], trend["done"]), (1, 1, 2))
            self.assertIn("100 %", daemon.ctl_text("swarms", "trend"))
            place.write("fail", "")
            failed = daemon.ctl_text("swarms", "run", file, "--entity", "clerk", "--watch", expect=1)
            self.assertIn("1 of 2 tasks done", failed)
            place.write("plan.json", text.replace("needs", "neds"))
            wrong = daemon.ctl_text("swarms", "run", file, "--entity", "clerk", expect=1)
            self.assertIn(f"{file}: plan.tasks[1].neds", wrong)
            nobody = daemon.ctl_text("swarms", "run", file, "--entity", "nobody", expect=1)
            self.assertIn("plan.tasks[1].neds", nobody)
            self.assertEqual(len(daemon.ctl("swarms", "list")["swarms"]), 2)

    def test_a_process_entity_that_misbehaves_stops_nobody(self):
        config = DOORS + NOTES + """
[entity.odd]
kind = "process"
autonomy = "act"
[[entity.odd.on]]
source = "admin"
[entity.odd.process]
argv = ["/usr/bin/python3", "@DIR@/odd.py"]
timeout = "2s"
restart_backoff = "100ms"
"""
        garbage = "import sys\nfor line in sys.stdin:\n    print('this is no decision', flush=True)\n"
        good = ("import json,sys\nfor line in sys.stdin:\n    asked = json.loads(line)\n"
                "    print(json.dumps({'id': asked['id'], 'verdict': 'noted',"
                " 'why': 'the child answered'}), flush=True)\n")
        with Place(config) as place, Daemon(place) as daemon:
            place.write("odd.py", garbage)
            told = emit(daemon, "first")
            wait_until("others go on", lambda: written(place))
            wait_until("it is told", lambda: daemon.said("a decision failed"))
            place.write("odd.py", good)
            daemon.settle()
            self.assertIn("the child answered", daemon.ctl_text("explain", told["id"]))

    def test_a_schedule_fires(self):
        config = DOORS + NOTES + """
[source.tick]
kind = "schedule"
every = "1s"
type = "note.tick"
subject = "clock"
data = { text = "tick" }
"""
        with Place(config) as place, Daemon(place):
            wait_until("it ticks", lambda: any("tick" in line for line in written(place)))


class State(unittest.TestCase):
    def test_what_was_accepted_survives_a_restart(self):
        config = DOORS + """
[entity.slow]
kind = "rules"
autonomy = "act"
case_key = "{{event.subject}}"
[[entity.slow.on]]
source = "admin"
[[entity.slow.rule]]
name = "work"
[[entity.slow.rule.task]]
name = "first"
sandbox = "none"
argv = ["/bin/sh", "-c", "echo ran >> @DIR@/first.txt"]
[[entity.slow.rule.task]]
name = "second"
sandbox = "none"
needs = ["first"]
argv = ["/bin/sh", "-c", "test -e @DIR@/go || sleep 600"]
"""
        with Place(config) as place:
            with Daemon(place) as daemon:
                daemon.ctl("events", "emit", "--type", "go.now", "--subject", "x")
                wait_until("the first task ran", (place.path / "first.txt").exists)
                wait_until("the second runs",
                           lambda: daemon.ctl("status")["runtime"]["tasks_running"] == 1)
                started = time.monotonic()
                self.assertEqual(daemon.stop(), 0)
                self.assertLess(time.monotonic() - started, 30)
            place.write("go", "")
            with Daemon(place) as daemon:
                daemon.settle()
                swarm = daemon.ctl("swarms", "list")["swarms"][0]
                self.assertEqual(swarm["state"], "done")
                # A finished task is not run again.
                self.assertEqual((place.path / "first.txt").read_text(), "ran\n")

    def test_wakes_of_an_entity_that_left_wait_for_it(self):
        with Place(DOORS) as place:
            with Daemon(place) as daemon:
                place.configure(DOORS + NOTES)
                daemon.ctl("config", "reload")
                daemon.ctl("entities", "pause", "clerk")
                emit(daemon, "kept")
                wait_until("it waits", lambda: daemon.ctl("status")["runtime"]["wakes_open"] == 1)
            place.configure(DOORS)
            with Daemon(place) as daemon:
                self.assertEqual(daemon.ctl("status")["runtime"]["wakes_open"], 1)
                place.configure(DOORS + NOTES)
                daemon.ctl("config", "reload")
                daemon.ctl("entities", "resume", "clerk")
                wait_until("it is written", lambda: written(place))

    def test_two_daemons_do_not_share_a_state(self):
        with Place(DOORS) as place, Daemon(place):
            with self.assertRaises(AssertionError) as refused:
                Daemon(place)
            self.assertRegex(str(refused.exception), "(?i)another vigild|in use|lock")

    def test_a_damaged_database_is_not_touched(self):
        with Place(DOORS + NOTES) as place:
            with Daemon(place) as daemon:
                for number in range(50):
                    emit(daemon, f"note {number}")
            database = place.state / "vigil.db"
            with open(database, "r+b") as file:
                file.seek(0)
                file.write(b"\0" * 4096)
            before = database.read_bytes()
            with self.assertRaises(AssertionError) as refused:
                Daemon(place)
            self.assertIn("restore", str(refused.exception))
            self.assertEqual(database.read_bytes(), before)

    def test_a_backup_brings_everything_back(self):
        with Place(DOORS + NOTES) as place:
            backup = place.path / "copy.db"
            with Daemon(place) as daemon:
                emit(daemon, "precious")
                daemon.settle()
                daemon.ctl("backup", "create", backup)
                self.assertEqual(os.stat(backup).st_mode & 0o777, 0o600)
                emit(daemon, "after the backup")
                daemon.settle()
            self.assertEqual(run_ctl(place, "backup", "verify", backup).returncode, 0)
            done = subprocess.run([str(BIN / "vigilctl"), "backup", "restore", str(backup),
                                   "--state-dir", str(place.state)], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            with Daemon(place) as daemon:
                found = daemon.ctl_text("memory", "search", "precious")
                self.assertIn("precious", found)
                self.assertNotIn("after the backup",
                                 daemon.ctl_text("memory", "search", "after backup"))

    @unittest.skipUnless(os.geteuid() == 0, "skipped: mounting a small disk needs root")
    def test_a_full_disk_refuses_and_recovers(self):
        with Place(DOORS + NOTES) as place:
            place.state.mkdir()
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none",
                                   str(place.state)], capture_output=True)
            if done.returncode != 0:
                self.skipTest("skipped: this machine does not let us mount")
            try:
                self.fill_and_free(place)
            finally:
                subprocess.run(["umount", "-l", str(place.state)], check=False)

    def fill_and_free(self, place):
        place.configure(DOORS + NOTES + "[storage]\nfree_bytes_min = \"1MiB\"\n"
                        "ballast_bytes = \"1MiB\"\n")
        with Daemon(place) as daemon:
            self.assertEqual(daemon.post_github({"a": 1})[0], 202)
            filler = place.state / "filler"
            # Unbuffered: what a full disk did not take must not be tried again by close().
            with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(os.urandom(1 << 16))

            def refused():
                payload = {"noise": os.urandom(200_000).hex()}
                return daemon.post_github(payload)[0] == 503
            wait_until("the door says 503", refused)
            filler.unlink()
            wait_until("it recovers", lambda: daemon.post_github({"b": 2})[0] == 202)


class Configuration(unittest.TestCase):
    def check(self, place):
        return subprocess.run([str(BIN / "vigild"), "--config", str(place.path), "--check-config"],
                              capture_output=True, text=True)

    def test_all_mistakes_are_told_at_once_with_their_place(self):
        with Place(DOORS + "\n[entity.x]\nkind = \"rulez\"\n[htpp]\nlisten = 3\n") as place:
            done = self.check(place)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"vigild\.toml:\d+:\d+: .*rulez|vigild\.toml:\d+:\d+: .*kind")
            self.assertRegex(done.stderr, r"htpp.*http")

    def test_what_only_shows_when_an_entity_is_made_is_a_mistake_with_its_place(self):
        bad = '\n[entity.keeper]\nkind = "codebase"\non = [{}]\n[entity.keeper.codebase]\nrepository = "/srv/x"\n' \
              'analysers = ["nonsense"]\n'
        with Place(DOORS + NOTES) as place, Daemon(place) as daemon:
            place.configure(DOORS + NOTES + bad)
            line = (DOORS + NOTES + "\n").count("\n") + 1
            done = self.check(place)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, rf"vigild\.toml:{line}:2: entity\.keeper: .*nonsense")
            for verb in ("check", "reload"):
                refused = run_ctl(place, "config", verb)
                self.assertEqual(refused.returncode, 1)
                self.assertIn("nonsense", refused.stdout + refused.stderr)
            emit(daemon, "still here")
            wait_until("the old one works", lambda: written(place))

    def test_a_bad_reload_changes_nothing_and_a_good_one_all(self):
        with Place(DOORS + NOTES) as place, Daemon(place) as daemon:
            place.configure(DOORS + NOTES + "\n[entity.broken]\nkind = 5\n")
            self.assertEqual(run_ctl(place, "config", "reload").returncode, 1)
            emit(daemon, "still here")
            wait_until("the old one works", lambda: written(place))
            place.configure(DOORS + NOTES.replace("clerk", "scribe"))
            changes = daemon.ctl_text("config", "diff")
            self.assertIn("scribe", changes)
            daemon.ctl("config", "reload")
            told = emit(daemon, "by the new one")
            daemon.settle()
            self.assertIn("scribe", daemon.ctl_text("explain", told["id"]))

    def test_a_hangup_reloads(self):
        with Place(DOORS) as place, Daemon(place) as daemon:
            place.configure(DOORS + NOTES)
            daemon.process.send_signal(1)
            wait_until("it is reloaded", lambda: daemon.said("reloaded"))

    def test_a_client_without_a_daemon_says_what_to_do(self):
        with Place(DOORS) as place:
            done = run_ctl(place, "status")
            self.assertEqual(done.returncode, 3)
            self.assertIn("vigild", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
