#!/usr/bin/env python3
"""What the operations guardian looks at over the network, with real servers: vigil-task by hand, and a whole daemon whose
watch scrapes a program, sees a value rise, alerts, and says when it is over."""
import datetime
import http.server
import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import BIN, Daemon, Place, wait_until  # noqa: E402

OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
OLD = "text/plain; version=0.0.4; charset=utf-8"


class Server:
    """Answers by path as `answers` says: (status, content type, body) or a function that gives it."""

    def __init__(self, certificate=None, address="127.0.0.1"):
        self.answers = {}
        self.heard = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.heard.append((self.path, dict(self.headers)))
                answer = server.answers.get(self.path, (404, "text/plain", "none"))
                status, kind, body = answer() if callable(answer) else answer
                self.send_response(status)
                if status in (301, 302):
                    self.send_header("Location", body)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Quiet((address, 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def task(name, *words, expect=0):
    done = subprocess.run([str(BIN / "vigil-task"), name, *words], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == expect, (name, words, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout) if expect == 0 else done.stderr


def value(result, name, **labels):
    for one in result["readings"]:
        if one["name"] == name and labels.items() <= one.get("labels", {}).items():
            return one["value"]
    return None


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class Probe(unittest.TestCase):
    def test_servers_that_answer_and_servers_that_do_not(self):
        with Server() as server:
            server.answers = {"/ok": (200, "text/plain", "all is well"), "/bad": (500, "text/plain", "no"),
                              "/moved": (302, "text/plain", "/ok")}
            base, dead = f"http://127.0.0.1:{server.port}", f"tcp://127.0.0.1:{free_port()}"
            targets = [f"{base}/ok", f"{base}/bad", f"{base}/moved", f"tcp://127.0.0.1:{server.port}", dead]
            result = task("ops.probe", *targets)
            self.assertEqual([value(result, "probe.up", target=one) for one in targets], [1, 0, 1, 1, 0])
            self.assertEqual(value(result, "probe.status", target=targets[1]), 500)
            self.assertGreater(value(result, "probe.seconds", target=targets[0]), 0)
            self.assertIsNone(value(result, "probe.seconds", target=dead))
            self.assertEqual(len(result["problems"]), 2)
            self.assertIn("it answers 500", result["problems"][0])
            self.assertEqual(value(task("ops.probe", targets[0], "--match", "is w.ll"), "probe.up"), 1)
            self.assertEqual(value(task("ops.probe", targets[0], "--match", "is ill"), "probe.up"), 0)
            self.assertEqual(value(task("ops.probe", targets[2], "--follow", "false", "--status", "302"), "probe.up"), 1)

    def test_a_redirect_does_not_lead_inside(self):
        with Server() as outside, Server(address="127.0.0.2") as inside:
            there, here = f"http://127.0.0.2:{inside.port}", f"http://127.0.0.1:{outside.port}"
            inside.answers = {"/seen": (200, "text/plain", "yes"), "/secret": (200, "text/plain", "inside")}
            outside.answers = {"/away": (302, "text/plain", f"{there}/secret")}
            # The connection that is open to a target of one's own is no way in either.
            targets = [f"{there}/seen"] + [f"{here}/away"] * 20
            result = task("ops.probe", *targets)
            self.assertEqual([value(result, "probe.up", target=one) for one in targets[:2]], [1, 0])
            self.assertEqual({path for path, _ in inside.heard}, {"/seen"})
            self.assertIn(f'it redirects to "{there}/secret" at 127.0.0.2, a loopback address', result["problems"][0])
            self.assertEqual(value(task("ops.probe", targets[1], "--follow", "false", "--status", "302"), "probe.up"), 1)

    def test_a_server_that_says_nothing_is_down_in_time(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            port = silent.getsockname()[1]
            result = task("ops.probe", f"http://127.0.0.1:{port}/", "--timeout", "300ms")
            self.assertEqual(value(result, "probe.up"), 0)
            self.assertEqual(value(task("ops.probe", f"tcp://127.0.0.1:{port}"), "probe.up"), 1)

    def test_how_long_a_certificate_holds(self):
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = f"{folder}/key.pem", f"{folder}/certificate.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                            "-nodes", "-keyout", key, "-out", certificate, "-days", "20", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
            with Server((certificate, key)) as server:
                server.answers = {"/": (200, "text/plain", "yes")}
                target = f"https://localhost:{server.port}/"
                trusted = task("ops.probe", target, "--ca_file", certificate)
                self.assertEqual(value(trusted, "probe.up"), 1)
                self.assertEqual(value(trusted, "certificate.trusted"), 1)
                self.assertAlmostEqual(value(trusted, "certificate.days"), 20, delta=0.1)
                heard = len(server.heard)
                strange = task("ops.probe", target, f"tls://localhost:{server.port}")
                self.assertEqual([value(strange, "probe.up", target=one) for one in
                                  (target, f"tls://localhost:{server.port}")], [0, 0])
                self.assertEqual(value(strange, "certificate.trusted", target=target), 0)
                self.assertAlmostEqual(value(strange, "certificate.days", target=target), 20, delta=0.1)
                self.assertEqual(len(server.heard), heard)  # nothing was sent to whom nobody trusts

    def test_mistakes_are_said(self):
        self.assertIn("targets", task("ops.probe", "--timeout", "1s", expect=65))
        self.assertIn("tcp://HOST:PORT", task("ops.probe", "ftp://example.org", expect=65))
        self.assertIn("expected one such as 200", task("ops.probe", "tcp://a:1", "--status", "9", expect=65))
        self.assertIn("there is no input", task("ops.probe", "tcp://a:1", "--statsu", "200", expect=65))


class Metrics(unittest.TestCase):
    def test_a_scrape(self):
        with Server() as server, tempfile.TemporaryDirectory() as folder:
            token = pathlib.Path(folder) / "token"
            token.write_text("a-token\n")
            server.answers = {
                "/metrics": (200, OPEN, "# TYPE disk_bytes gauge\n# UNIT disk_bytes bytes\ndisk_bytes{m=\"/\"} 7\n"
                                        "disk_bytes{m=\"/x\"} NaN\n# TYPE jobs counter\njobs_total 5 1700000000.5\n# EOF\n"),
                "/cut": (200, OPEN, "jobs_total 5\n"), "/old": (200, OLD, "jobs_total 5\n"),
                "/away": (302, "text/plain", "/metrics")}
            url = f"http://127.0.0.1:{server.port}"
            result = task("ops.metrics", "--url", f"{url}/metrics", "--bearer_file", str(token))
            self.assertEqual(value(result, "disk_bytes", m="/"), 7)
            self.assertEqual(result["readings"][0]["unit"], "bytes")
            self.assertEqual(result["readings"][1]["at"], "2023-11-14T22:13:20.500Z")
            self.assertEqual(result["problems"], ["1 samples are no finite numbers"])
            self.assertEqual(server.heard[-1][1]["Authorization"], "Bearer a-token")
            self.assertIn("openmetrics", server.heard[-1][1]["Accept"])
            chosen = task("ops.metrics", "--url", f"{url}/metrics", "--select", "jobs_total")
            self.assertEqual(len(chosen["readings"]), 1)
            self.assertEqual(value(task("ops.metrics", "--url", f"{url}/old"), "jobs_total"), 5)
            self.assertIn("cut off", task("ops.metrics", "--url", f"{url}/cut", expect=65))
            self.assertIn("it answers 302", task("ops.metrics", "--url", f"{url}/away", expect=75))
            self.assertIn("onnect", task("ops.metrics", "--url", f"http://127.0.0.1:{free_port()}/", expect=75))
            self.assertIn("either url, or one file", task("ops.metrics", "--timeout", "1s", expect=65))

    CONFIG = """
[daemon]
drain_timeout = "2s"
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
[sink.told]
kind = "file"
path = "@DIR@/told.jsonl"
[entity.ops]
kind = "ops"
autonomy = "act"
[[entity.ops.on]]
source = "admin"
[entity.ops.ops]
report_sink = "told"
settle = "1s"
investigate = false
[[entity.ops.ops.watch]]
name = "queue"
every = "1s"
analyser = "ops.metrics"
input = { url = "@URL@/metrics", select = ["queue_length{worker=\\"a\\"}"] }
sandbox = "net"
timeout = "5s"
[[entity.ops.ops.watch.rule]]
name = "QueueLong"
reading = "queue_length"
above = 10
clear = 5
severity = "critical"
[[entity.ops.ops.watch]]
name = "site"
every = "1s"
analyser = "ops.probe"
input = { targets = ["@URL@/health"], match = "well" }
sandbox = "net"
timeout = "5s"
[[entity.ops.ops.watch.rule]]
name = "SiteDown"
reading = "probe.up"
below = 1
severity = "critical"
"""

    def test_a_watch_scrapes_alerts_and_ends(self):
        with Server() as server:
            length = [3]
            health = [200]
            server.answers = {
                "/metrics": lambda: (200, OLD, f'queue_length{{worker="a"}} {length[0]}\nqueue_length{{worker="b"}} 99\n'),
                "/health": lambda: (health[0], "text/plain", "all is well")}
            with Place(self.CONFIG.replace("@URL@", f"http://127.0.0.1:{server.port}")) as place:
                def told():
                    file = place.path / "told.jsonl"
                    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

                def said(*words):
                    return any(all(word in json.dumps(one) for word in words) for one in told())

                with Daemon(place) as daemon:
                    looks = lambda path: sum(1 for one, _ in server.heard if one == path)  # noqa: E731
                    wait_until("both are looked at", lambda: looks("/metrics") > 1 and looks("/health") > 1)
                    self.assertEqual(told(), [])
                    length[0] = 42
                    wait_until("the queue is told", lambda: said("QueueLong", "firing"))
                    daemon.kill()
                    length[0] = 7  # between clear and above: it is not over
                with Daemon(place) as daemon:
                    seen = looks("/metrics")
                    wait_until("it is looked at again", lambda: looks("/metrics") > seen + 2)
                    self.assertFalse(said("QueueLong", "resolved"))
                    length[0] = 2
                    wait_until("the end is told", lambda: said("QueueLong", "resolved"))
                    health[0] = 503
                    wait_until("the site is told", lambda: said("SiteDown", "firing"))
                    health[0] = 200
                    wait_until("its end is told", lambda: said("SiteDown", "resolved"))
                    daemon.settle()


class Costs(unittest.TestCase):
    CONFIG = """
[daemon]
drain_timeout = "2s"
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
[sink.told]
kind = "file"
path = "@DIR@/told.jsonl"
[entity.ops]
kind = "ops"
autonomy = "act"
[[entity.ops.on]]
source = "admin"
[entity.ops.ops]
report_sink = "told"
settle = "1s"
investigate = false
[[entity.ops.ops.watch]]
name = "bill"
every = "1s"
analyser = "ops.costs"
input = { files = ["@DIR@/bill/bill.csv"], budget = 1000 }
read_paths = ["@DIR@/bill"]
timeout = "5s"
[[entity.ops.ops.watch.rule]]
name = "MonthIsDear"
reading = "cost.month"
above = 500
[[entity.ops.ops.watch.rule]]
name = "BudgetNearlySpent"
reading = "cost.month_of_budget"
above = 80
[[entity.ops.ops.watch.rule]]
name = "BudgetWillNotDo"
reading = "cost.forecast_of_budget"
above = 100
"""

    @staticmethod
    def bill(*days):
        rows = ["BilledCost,BillingCurrency,ChargePeriodStart,ServiceName,ChargeCategory,ChargeFrequency"]
        rows += [f"{cost},EUR,2024-09-{day:02} 00:00:00,vm,Usage,Usage-Based" for day, cost in enumerate(days, 1)]
        return "\n".join(rows) + "\n"

    def test_thresholds_by_sum_by_budget_and_by_what_is_to_come(self):
        with Place(self.CONFIG) as place:
            place.write("bill/bill.csv", self.bill(*[10] * 10))  # 100 so far, 300 by the end of the month
            def told(*words):
                file = place.path / "told.jsonl"
                text = file.read_text() if file.exists() else ""
                return any(all(word in line for word in words) for line in text.splitlines())
            with Daemon(place) as daemon:
                wait_until("it is looked at", lambda: len(daemon.ctl("swarms", "list")["swarms"]) > 2)
                self.assertFalse(told("Budget"))
                place.write("bill/bill.csv", self.bill(*[40] * 10))  # 400 so far, 1200 by the end
                wait_until("what is to come is told", lambda: told("BudgetWillNotDo", "firing"))
                self.assertFalse(told("MonthIsDear") or told("BudgetNearlySpent"))
                place.write("bill/bill.csv", self.bill(*[40] * 20, 60))  # 860
                wait_until("the sum is told", lambda: told("MonthIsDear", "firing"))
                wait_until("so is the budget", lambda: told("BudgetNearlySpent", "86"))
                place.write("bill/bill.csv", self.bill(1))
                wait_until("the end is told", lambda: told("resolved", "MonthIsDear"))
                place.write("bill/bill.csv", "not a bill\n")
                wait_until("what cannot be read is told", lambda: told("watch-failing"))
                daemon.settle()


if __name__ == "__main__":
    unittest.main()
