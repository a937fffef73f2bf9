#!/usr/bin/env python3
"""What a watch leads to, in a whole daemon with real children: load up and load down through a hook with its bounds, and a
spike of errors in a log as an incident."""
import datetime
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import Daemon, Place, wait_until  # noqa: E402

HEAD = """
[daemon]
safe_mode_starts = 0  # it is killed on purpose, often
drain_timeout = "2s"
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
[sink.told]
kind = "file"
path = "@DIR@/told.jsonl"
[entity.ops]
kind = "ops"
autonomy = "act"
[entity.ops.autonomy_of]
scale = "act"
[[entity.ops.on]]
source = "admin"
[entity.ops.ops]
report_sink = "told"
settle = "1s"
investigate = false
"""

SCALE = HEAD + """
[sink.resize]
kind = "command"
argv = ["/usr/bin/python3", "@DIR@/resize.py"]
[[entity.ops.ops.watch]]
name = "queue"
every = "1s"
argv = ["/bin/cat", "@DIR@/load"]
timeout = "5s"
sandbox = "none"
[[entity.ops.ops.scale]]
name = "workers"
watch = "queue"
reading = "value"
up_above = 80
down_below = 20
for = "1s"
cooldown = "1s"
min = 1
max = 3
per_hour_max = 100
argv = ["/bin/cat", "@DIR@/size"]
sandbox = "none"
sink = "resize"
"""

# The hook: does what it is told, and keeps what it was told.
RESIZE = """
import json, sys
wish = json.load(sys.stdin)
open("@DIR@/wishes", "a").write(json.dumps(wish) + "\\n")
open("@DIR@/size", "w").write(str(wish["to"]))
"""

LOG = HEAD + """
[[entity.ops.ops.watch]]
name = "log"
every = "1s"
analyser = "ops.logs"
input = { files = ["@DIR@/log/app.log"], window = "1m" }
read_paths = ["@DIR@/log"]
timeout = "10s"
[[entity.ops.ops.watch.rule]]
name = "ErrorsUnusual"
reading = "log.errors_unusual"
above = 0
severity = "critical"
"""


def lines_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


class Scale(unittest.TestCase):
    def test_load_up_and_load_down_within_bounds_and_across_a_kill(self):
        with Place(SCALE) as place:
            place.write("resize.py", RESIZE.replace("@DIR@", str(place.path)))
            size, load = place.write("size", "1"), place.write("load", "50")
            wishes = lambda: [one["to"] for one in lines_of(place.path / "wishes")]  # noqa: E731
            looks = lambda daemon: max([one["id"] for one in daemon.ctl("swarms", "list")["swarms"]], default=0)  # noqa: E731
            with Daemon(place) as daemon:
                wait_until("it is looked at", lambda: looks(daemon) > 2)
                self.assertEqual(wishes(), [])  # between the two limits nothing is wanted
                load.write_text("95")
                wait_until("it grows", lambda: wishes() == [2] and size.read_text() == "2")
                daemon.kill()
            with Daemon(place) as daemon:
                wait_until("it grows to its largest", lambda: wishes() == [2, 3])
                seen = looks(daemon)
                wait_until("it is looked at on", lambda: looks(daemon) > seen + 4)
                self.assertEqual(wishes(), [2, 3])
                load.write_text("50")
                seen = looks(daemon)
                wait_until("it is looked at on", lambda: looks(daemon) > seen + 3)
                self.assertEqual(wishes(), [2, 3])  # hysteresis
                load.write_text("5")
                wait_until("it shrinks to its smallest", lambda: wishes() == [2, 3, 2, 1])
                seen = looks(daemon)
                wait_until("it is looked at on", lambda: looks(daemon) > seen + 4)
                self.assertEqual(wishes(), [2, 3, 2, 1])
                self.assertEqual(size.read_text(), "1")
                wish = lines_of(place.path / "wishes")[0]
                self.assertEqual((wish["direction"], wish["from"], wish["scale"]), ("up", 1, "workers"))
                daemon.settle()


class Log(unittest.TestCase):
    @staticmethod
    def log(*errors):
        """Minutes of a service that says the same each minute, with so many errors in each."""
        start = datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
        lines = []
        for minute, count in enumerate(errors):
            at = start + datetime.timedelta(minutes=minute)
            for second in range(30):
                when = (at + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
                lines.append(f"{when} INFO request {minute * 100 + second} served")
                if second < count:
                    lines.append(f"{when} ERROR request {minute * 100 + second} failed: timeout after 30 s")
        return "\n".join(lines) + "\n"

    def test_a_spike_of_errors_is_an_incident_until_it_is_over(self):
        with Place(LOG) as place:
            place.write("log/app.log", self.log(*[1] * 12))
            said = lambda *words: any(all(word in json.dumps(one) for word in words)  # noqa: E731
                                      for one in lines_of(place.path / "told.jsonl"))
            with Daemon(place) as daemon:
                wait_until("it is read", lambda: len(daemon.ctl("swarms", "list")["swarms"]) > 2)
                self.assertFalse(said("ErrorsUnusual"))
                place.write("log/app.log", self.log(*[1] * 12, 25))
                wait_until("the spike is told", lambda: said("ErrorsUnusual", "firing"))
                place.write("log/app.log", self.log(*[1] * 12, 25, 1, 1))
                wait_until("its end is told", lambda: said("ErrorsUnusual", "resolved"))
                daemon.settle()


if __name__ == "__main__":
    unittest.main()
