#!/usr/bin/env python3
"""An alert from its first sample to the end of its incident: Prometheus scrapes, Alertmanager groups and posts, vigild
investigates, acts by a runbook and verifies; and it is killed in the middle, twice. Without Debian's prometheus and
prometheus-alertmanager the same is driven by posts of Alertmanager's form."""
import http.client
import http.server
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import Daemon, Place, SECRET, wait_until  # noqa: E402

TOKEN = "a-token-of-sixteen-letters-or-more"

VIGILD = """
[daemon]
safe_mode_starts = 0  # it is killed on purpose, often
drain_timeout = "5s"
[http]
listen = ["127.0.0.1:@PORT@"]
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
[source.alerts]
kind = "webhook"
scheme = "alertmanager"
secrets = ["file:@DIR@/token"]
[sink.told]
kind = "file"
path = "@DIR@/told.jsonl"
[sink.drain]
kind = "command"
argv = ["@DIR@/drain.py", "@DIR@"]
[entity.ops]
kind = "ops"
autonomy = "act"
[entity.ops.autonomy_of]
run = "act"
[[entity.ops.on]]
source = "alerts"
[entity.ops.ops]
group_by = ["alertname", "service"]
report_sink = "told"
settle = "1s"
[[entity.ops.ops.evidence]]
name = "backlog"
argv = ["/bin/cat", "@DIR@/queue"]
sandbox = "none"
[[entity.ops.ops.runbook]]
name = "drain"
match = ["alertname=QueueLong"]
arguments = ["service"]
check = ["@DIR@/wait.py", "@DIR@/checked"]
sandbox = "none"
sink = "drain"
verify = ["@DIR@/wait.py", "@DIR@/verified"]
verify_after = "1s"
timeout = "60s"
"""

# Ends well once somebody lets it: a kill falls where the test wants it.
WAIT = """#!/usr/bin/env python3
import pathlib, sys, time
gate = pathlib.Path(sys.argv[1])
with open(str(gate) + ".begun", "a") as log:
    log.write("begun\\n")
while not gate.exists():
    time.sleep(0.02)
"""

DRAIN = """#!/usr/bin/env python3
import json, pathlib, sys
place = pathlib.Path(sys.argv[1])
with open(place / "acted", "a") as log:
    log.write(json.dumps(json.load(sys.stdin)) + "\\n")
(place / "queue").write_text("0")
"""

PROMETHEUS = """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ["@DIR@/rules.yml"]
scrape_configs:
  - job_name: worker
    static_configs: [{targets: ["127.0.0.1:@EXPORTER@"]}]
alerting:
  alertmanagers:
    - static_configs: [{targets: ["127.0.0.1:@ALERTMANAGER@"]}]
"""

RULES = """
groups:
  - name: worker
    rules:
      - alert: QueueLong
        expr: queue_length > 10
        labels: {severity: critical, service: worker}
        annotations: {summary: "{{ $value }} jobs wait"}
"""

ALERTMANAGER = """
route:
  receiver: vigild
  group_by: [alertname, service]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 1h
receivers:
  - name: vigild
    webhook_configs:
      - url: http://127.0.0.1:@PORT@/hooks/alerts
        http_config: {authorization: {credentials: @TOKEN@}}
"""


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class World(Place):
    def __init__(self):
        self.port = free_port()
        super().__init__(VIGILD.replace("@PORT@", str(self.port)))
        self.write("token", TOKEN)
        self.write("queue", "42")
        for name, text in (("wait.py", WAIT), ("drain.py", DRAIN)):
            self.write(name, text).chmod(0o700)

    def lines(self, name):
        file = self.path / name
        return file.read_text().splitlines() if file.exists() else []

    def told(self):
        return [json.loads(line) for line in self.lines("told.jsonl")]


class Exporter:
    """Tells how long the queue is, as the file says."""

    def __init__(self, place):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                queue = (place.path / "queue").read_text()
                body = ("# TYPE queue_length gauge\n" +
                        "".join(f'queue_length{{worker="{name}"}} {queue}\n' for name in "ab")).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Monitoring:
    """Debian's Prometheus and Alertmanager on loopback."""

    def __init__(self, place):
        self.exporter = Exporter(place)
        ports = {"@PORT@": place.port, "@EXPORTER@": self.exporter.port, "@ALERTMANAGER@": free_port(),
                 "@TOKEN@": TOKEN, "@DIR@": place.path}
        for name, text in (("prometheus.yml", PROMETHEUS), ("rules.yml", RULES), ("alertmanager.yml", ALERTMANAGER)):
            for key, value in ports.items():
                text = text.replace(key, str(value))
            place.write(name, text)
        self.log = open(place.path / "monitoring.log", "w")
        self.children = [self.start(place, *argv) for argv in (
            ("prometheus-alertmanager", f"--config.file={place.path}/alertmanager.yml",
             f"--storage.path={place.path}/alertmanager", "--cluster.listen-address=",
             f"--web.listen-address=127.0.0.1:{ports['@ALERTMANAGER@']}"),
            ("prometheus", f"--config.file={place.path}/prometheus.yml", f"--storage.tsdb.path={place.path}/prometheus",
             f"--web.listen-address=127.0.0.1:{free_port()}"))]

    def start(self, place, *argv):
        return subprocess.Popen(argv, stdout=self.log, stderr=self.log, cwd=place.path)

    def close(self):
        for child in self.children:
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            child.wait(60)
        self.exporter.close()
        self.log.close()


class Posts:
    """What Alertmanager posts, without one: again until it is taken, and the end once the queue is short."""

    def __init__(self, place):
        self.place = place
        self.over = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def body(self, status):
        common = {"alertname": "QueueLong", "service": "worker", "severity": "critical"}
        alerts = [{"status": status, "labels": {**common, "worker": worker},
                   "annotations": {"summary": "42 jobs wait"}, "startsAt": "2026-11-24T10:00:00Z",
                   "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-11-24T10:05:00Z",
                   "generatorURL": "http://p/g", "fingerprint": worker * 4} for worker in "ab"]
        return json.dumps({
            "version": "4", "groupKey": "{}:{alertname=\"QueueLong\"}", "truncatedAlerts": 0, "status": status,
            "receiver": "vigild", "groupLabels": {"alertname": "QueueLong", "service": "worker"}, "commonLabels": common,
            "commonAnnotations": {}, "externalURL": "http://a", "alerts": alerts})

    def post(self, status):
        while not self.over:
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.place.port}/hooks/alerts", self.body(status).encode(),
                {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"})
            try:
                with urllib.request.urlopen(request, timeout=10):
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)

    def run(self):
        self.post("firing")
        while not self.over and (self.place.path / "queue").read_text() != "0":
            time.sleep(0.1)
        self.post("resolved")

    def close(self):
        self.over = True
        self.thread.join(30)


def last_message(place):
    told = place.told()
    return told[-1]["payload"] if told else {}


class Incident(unittest.TestCase):
    def follow(self, monitor):
        with World() as place:
            daemon = Daemon(place)
            monitoring = monitor(place)
            try:
                wait_until("the runbook looks", lambda: place.lines("checked.begun"))
                daemon.kill()
                self.assertEqual(place.lines("acted"), [])
                daemon = Daemon(place)
                wait_until("it looks again", lambda: len(place.lines("checked.begun")) > 1)
                place.write("checked", "")
                wait_until("the runbook verifies", lambda: place.lines("verified.begun"))
                daemon.kill()
                daemon = Daemon(place)
                place.write("verified", "")
                wait_until("the incident is over", lambda: "post_mortem" in last_message(place), 120)
                self.check(place, daemon)
                self.assertEqual(daemon.stop(), 0)
            except AssertionError:
                print(daemon.log(), *place.lines("told.jsonl")[-3:], sep="\n", file=sys.stderr)
                print(daemon.ctl_text("actions", "list"), daemon.ctl_text("swarms", "list"), file=sys.stderr)
                raise
            finally:
                monitoring.close()
                daemon.stop()

    def check(self, place, daemon):
        acted = [json.loads(line) for line in place.lines("acted")]
        self.assertEqual(len(acted), 1, acted)
        self.assertEqual(acted[0]["arguments"], {"service": "worker"})
        cases = [case for case in daemon.ctl("cases", "list", "--state", "closed")["cases"]
                 if "QueueLong" in case["key"]]
        self.assertEqual(len(cases), 1, cases)
        message = last_message(place)
        self.assertIn("42", json.dumps(place.told()))  # the evidence, and the summary
        self.assertIn("| ended by | runbook drain |", message["post_mortem"])
        self.assertEqual(len([note for note in place.told() if "began with 2 alerts" in note["payload"]["text"]]), 1)

    @unittest.skipUnless(shutil.which("prometheus") and shutil.which("prometheus-alertmanager"),
                         "prometheus and prometheus-alertmanager are not installed: apt-get install them")
    def test_from_prometheus_to_the_post_mortem_with_two_kills(self):
        self.follow(Monitoring)

    def test_from_posts_of_alertmanagers_form_with_two_kills(self):
        self.follow(Posts)


if __name__ == "__main__":
    unittest.main(verbosity=2)
