#!/usr/bin/env python3
"""A daemon that suspects itself: safe mode after crashes, the last good configuration, silences, the doctor. Real programs."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import BIN, PATIENCE, Daemon, Place, real_payload, wait_until  # noqa: E402

CONFIG = """
[daemon]
drain_timeout = "2s"
safe_mode_starts = 3
safe_mode_within = "10m"
[http]
listen = ["127.0.0.1:0"]
[source.github]
kind = "webhook"
scheme = "github"
secrets = ["file:@DIR@/secret"]
[source.quiet]
kind = "webhook"
scheme = "github"
secrets = ["file:@DIR@/secret"]
[sink.told]
kind = "file"
path = "@DIR@/told.jsonl"
[entity.keeper]
kind = "rules"
autonomy = "act"
[[entity.keeper.on]]
source = "github"
[[entity.keeper.rule]]
name = "tell"
[[entity.keeper.rule.action]]
sink = "told"
payload = { text = "{{event.subject}}" }
"""


def told(place):
    file = place.path / "told.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def findings(daemon, expect=0):
    return {row["check"]: (row["finding"], row["text"]) for row in daemon.ctl("doctor", expect=expect)["checks"]}


class SafeMode(unittest.TestCase):
    def test_after_crashes_events_are_stored_and_nothing_is_decided_until_a_person_says_so(self):
        with Place(CONFIG) as place:
            for _ in range(3):
                Daemon(place).kill()
            with Daemon(place) as daemon:
                self.assertTrue(daemon.said("SAFE MODE: 3 starts within 10m"))
                status, answer = daemon.post_github(real_payload())
                self.assertEqual((status, answer["status"]), (202, "accepted"))
                self.assertIn("SAFE MODE", daemon.ctl_text("status"))
                self.assertEqual(findings(daemon, expect=1)["safe mode"][0], "bad")
                self.assertEqual(daemon.ctl("status")["runtime"]["decisions"], 0)
                self.assertIn("vigild_safe_mode 1", daemon.ctl_text("metrics"))
                refused = daemon.ctl_text("events", "replay", answer["id"], expect=1)
                self.assertIn("safe mode", refused)
                self.assertEqual(told(place), [])
                daemon.ctl_text("safe-mode", "leave")
                wait_until("what waited is decided", lambda: len(told(place)) == 1)
                self.assertNotIn("SAFE MODE", daemon.ctl_text("status"))
                self.assertIn("not in safe mode", daemon.ctl_text("safe-mode", "leave", expect=1))
                daemon.post_github(real_payload(), delivery="another")
                daemon.settle()
            with Daemon(place) as daemon:  # what was forgiven does not count again
                self.assertFalse(daemon.said("SAFE MODE"))

    def test_stopping_in_safe_mode_loses_nothing(self):
        with Place(CONFIG) as place:
            for _ in range(3):
                Daemon(place).kill()
            with Daemon(place) as daemon:
                self.assertEqual(daemon.post_github(real_payload())[0], 202)
                self.assertEqual(daemon.stop(), 0)
            place.configure(CONFIG.replace("safe_mode_starts = 3", "safe_mode_starts = 0"))
            with Daemon(place):
                wait_until("the stored event is decided", lambda: len(told(place)) == 1)


class LastGood(unittest.TestCase):
    def test_a_configuration_that_cannot_be_read_is_stood_in_for(self):
        with Place(CONFIG) as place:
            with Daemon(place) as daemon:
                self.assertEqual(findings(daemon)["safe mode"][0], "ok")
            place.configure(CONFIG + "[entity.typo]\nkind = \"rulez\"\n")
            with Daemon(place) as daemon:
                self.assertTrue(daemon.said("THE CONFIGURATION CANNOT BE USED"))
                self.assertIn("rulez", daemon.log())
                self.assertIn("last good one", daemon.ctl_text("status"))
                self.assertEqual(findings(daemon, expect=1)["last good"][0], "bad")
                self.assertEqual(daemon.post_github(real_payload())[0], 202)
                wait_until("it works all the same", lambda: len(told(place)) == 1)
                place.configure(CONFIG)
                daemon.ctl_text("config", "reload")
                self.assertNotIn("last good one", daemon.ctl_text("status"))
            check = subprocess.run([str(BIN / "vigild"), "--config", str(place.path), "--check-config"],
                                   capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(check.returncode, 0, check.stderr)

    def test_it_is_found_wherever_the_configuration_keeps_it(self):
        elsewhere = CONFIG.replace("[daemon]", '[daemon]\nstate_dir = "@DIR@/kept"')
        nowhere = ("env", "-u", "STATE_DIRECTORY")
        with Place(elsewhere) as place:
            place.state = place.path / "kept"
            Daemon(place, nowhere).stop()
            for broken in ("[entity.typo]\nkind = \"rulez\"\n", "[sink.cut\n", "[sink.cut]\nurl = [\n\n\n"):
                place.configure(elsewhere + broken)
                with Daemon(place, nowhere) as daemon:
                    self.assertTrue(daemon.said("THE CONFIGURATION CANNOT BE USED"), broken)
                    self.assertIn(str(place.path / "kept" / "last-good.toml"), daemon.log())
                    self.assertEqual(daemon.post_github({"said": broken})[0], 202)

    def test_what_an_entity_refuses_is_said_by_the_check_and_stood_in_for_at_a_start(self):
        wrong = CONFIG + """
[entity.ops]
kind = "ops"
[[entity.ops.on]]
source = "github"
[[entity.ops.ops.silence]]
match = ["severity=~\\"(\\""]
"""
        with Place(CONFIG) as place:
            with Daemon(place) as daemon:
                place.configure(wrong)
                self.assertIn("ops.silence[0]", daemon.ctl_text("config", "check", expect=1))
            check = subprocess.run([str(BIN / "vigild"), "--config", str(place.path), "--check-config"],
                                   capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(check.returncode, 2)
            self.assertIn("ops.silence[0]", check.stderr)
            with Daemon(place) as daemon:
                self.assertTrue(daemon.said("THE CONFIGURATION CANNOT BE USED"))
                self.assertIn("ops.silence[0]", daemon.ctl_text("status"))

    def test_without_one_nothing_is_started(self):
        with Place(CONFIG + "[entity.typo]\nkind = \"rulez\"\n") as place:
            environment = dict(os.environ, STATE_DIRECTORY=str(place.state))
            done = subprocess.run([str(BIN / "vigild"), "--config", str(place.path)], capture_output=True, text=True,
                                  timeout=PATIENCE, env=environment)
            self.assertEqual(done.returncode, 2)
            self.assertIn("rulez", done.stderr)


class Suspicion(unittest.TestCase):
    SILENT = CONFIG.replace("[source.quiet]", "[source.quiet]\nexpect_every = \"1s\"") + """
[entity.ops]
kind = "ops"
autonomy = "act"
[[entity.ops.on]]
source = "vigil"
[entity.ops.ops]
report_sink = "told"
investigate = false
settle = "1s"
"""

    def test_a_silent_source_becomes_an_incident_and_its_next_event_ends_it(self):
        with Place(self.SILENT) as place, Daemon(place) as daemon:
            def said(*words):
                return any(all(word in json.dumps(one) for word in words) for one in told(place))
            wait_until("the silence is told", lambda: said("SourceSilent", "firing"))
            self.assertEqual(findings(daemon)["silence"][0], "warn")
            self.assertIn("vigild_silent 1", daemon.ctl_text("metrics"))
            daemon.post_github(real_payload(), path="/hooks/quiet")
            wait_until("its end is told", lambda: said("SourceSilent", "resolved"))

    def test_the_doctor_says_what_is_wrong_and_what_to_do(self):
        with Place(CONFIG) as place, Daemon(place) as daemon:
            seen = findings(daemon)
            self.assertEqual(seen["database"][0], "ok")
            self.assertEqual(seen["permissions"][0], "ok")
            self.assertEqual(seen["sources"], ("warn", seen["sources"][1]))
            self.assertIn("github, quiet", seen["sources"][1])
            daemon.post_github(real_payload())
            daemon.settle()
            self.assertNotIn("github", findings(daemon)["sources"][1].split(".")[0])
            (place.path / "secret").chmod(0o644)
            place.state.chmod(0o755)
            seen = findings(daemon, expect=1)
            self.assertEqual(seen["permissions"][0], "bad")
            self.assertIn("chmod 700", seen["permissions"][1])
            self.assertTrue(any(row["check"] == "secrets" and row["finding"] == "bad"
                                for row in daemon.ctl("doctor", expect=1)["checks"]))
            (place.path / "secret").chmod(0o600)
            place.state.chmod(0o700)


if __name__ == "__main__":
    unittest.main()
