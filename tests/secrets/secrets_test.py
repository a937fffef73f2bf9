#!/usr/bin/env python3
"""A secret of each kind is planted, every door, command and error is tried, and then everything that the daemon wrote, said
or gave to its children is searched for them."""
import base64
import hashlib
import http.server
import json
import os
import pathlib
import re
import resource
import secrets
import shutil
import signal
import socketserver
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import BIN, PATIENCE, Daemon, Place, run_ctl, signature, wait_until  # noqa: E402

HOOKS = ["github", "hmac", "bearer", "basic", "tradingview", "slack", "stripe", "standard", "ping"]
SENT = ["http", "hub", "slackbot", "bot", "smtp", "imap", "poll", "listener", "calendar", "redelivery", "mailbox"]
GRANTED = ["runbook", "process"]

CONFIG = """
[daemon]
log_level = "debug"
drain_timeout = "5s"
safe_mode_starts = 0
[http]
listen = ["127.0.0.1:0"]
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes

[source.github]
kind = "webhook"
scheme = "github"
secrets = ["file:@DIR@/github"]
redelivery = { hooks = ["repos/o/r/hooks/1"], base_url = "@ECHO@", token = "cred:redelivery" }
[source.hmac]
kind = "webhook"
scheme = "hmac"
secrets = ["cred:hmac"]
[source.bearer]
kind = "webhook"
scheme = "bearer"
secrets = ["file:@DIR@/bearer"]
[source.basic]
kind = "webhook"
scheme = "basic"
user = "caller"
secrets = ["file:@DIR@/basic"]
[source.tradingview]
kind = "webhook"
scheme = "tradingview"
secrets = ["file:@DIR@/tradingview"]
[source.slack]
kind = "webhook"
scheme = "slack"
secrets = ["file:@DIR@/slack"]
[source.stripe]
kind = "webhook"
scheme = "stripe"
secrets = ["file:@DIR@/stripe"]
[source.standard]
kind = "webhook"
scheme = "standard_webhooks"
secrets = ["file:@DIR@/standard"]
[source.ping]
kind = "webhook"
scheme = "ping"
ids = { backup = "file:@DIR@/ping" }
[source.poll]
kind = "poll"
url = "@ECHO@/list"
every = "1s"
token = "file:@DIR@/poll"
[source.listener]
kind = "telegram"
base_url = "@ECHO@"
token = "file:@DIR@/listener"
[source.calendar]
kind = "calendar"
form = "http"
url = "@ECHO@/calendar"
user = "me"
password = "file:@DIR@/calendar"
[source.mailbox]
kind = "imap"
host = "127.0.0.1"
port = @FOLDERS@
tls = "none"
user = "me"
password = "file:@DIR@/mailbox"

[sink.http]
kind = "http"
url = "@ECHO@/hook"
secret = "file:@DIR@/http"
[sink.hub]
kind = "github"
base_url = "@ECHO@"
token = "file:@DIR@/hub"
[sink.slackbot]
kind = "slack"
base_url = "@ECHO@"
token = "file:@DIR@/slackbot"
channel = "C1"
[sink.bot]
kind = "telegram"
base_url = "@ECHO@"
token = "file:@DIR@/bot"
chat = "1"
[sink.smtp]
kind = "smtp"
host = "127.0.0.1"
port = @MAIL@
tls = "none"
user = "me"
password = "file:@DIR@/smtp"
from = "me@example.org"
to = ["*"]
[sink.imap]
kind = "imap"
host = "127.0.0.1"
port = @FOLDERS@
tls = "none"
user = "me"
password = "file:@DIR@/imap"
[sink.runbook]
kind = "command"
argv = ["/bin/sh", "-c", "tr '\\\\0' '\\\\n' </proc/self/environ >@DIR@/seen/runbook; tr '\\\\0' ' ' </proc/$PPID/cmdline >>@DIR@/seen/lines"]
secrets = { RUNBOOK_TOKEN = "file:@DIR@/runbook" }

[entity.clerk]
kind = "rules"
autonomy = "act"
[[entity.clerk.on]]
source = "*"
types = ["*"]
[[entity.clerk.rule]]
name = "everything"
match = { type = "all.wanted" }
remember = "{{event.data.text}}"
[[entity.clerk.rule.task]]
name = "look"
argv = ["/bin/sh", "-c", "tr '\\\\0' '\\\\n' </proc/self/environ"]
[[entity.clerk.rule.action]]
sink = "http"
payload = { text = "hello" }
[[entity.clerk.rule.action]]
sink = "hub"
payload = { repository = "o/r", number = 1, body = "hello" }
[[entity.clerk.rule.action]]
sink = "slackbot"
payload = { text = "hello" }
[[entity.clerk.rule.action]]
sink = "bot"
payload = { text = "hello" }
[[entity.clerk.rule.action]]
sink = "smtp"
payload = { to = "you@example.org", subject = "hello", text = "hello" }
[[entity.clerk.rule.action]]
sink = "imap"
payload = { to = "you@example.org", subject = "hello", text = "hello", draft = true }
[[entity.clerk.rule.action]]
sink = "runbook"
payload = { text = "hello" }

[entity.echo]
kind = "process"
[[entity.echo.on]]
source = "admin"
[entity.echo.process]
argv = ["/usr/bin/python3", "@DIR@/echo.py"]
secrets = { PROCESS_TOKEN = "file:@DIR@/process" }
"""

ECHO_ENTITY = """
import json, os, sys
with open(sys.argv[0].replace("echo.py", "seen/process"), "w") as out:
    out.write("\\n".join(f"{name}={value}" for name, value in os.environ.items()))
for line in sys.stdin:
    print(json.dumps({"id": json.loads(line)["id"], "why": "heard"}), flush=True)
"""


class Parrot(http.server.BaseHTTPRequestHandler):
    """Refuses everything, and repeats all it was told while it does."""
    status = 403

    def reply(self):
        length = int(self.headers.get("Content-Length") or 0)
        told = f"{self.requestline} {dict(self.headers)} {self.rfile.read(length)}".encode()
        self.server.heard.append(told.decode())
        self.send_response(Parrot.status)
        self.send_header("Content-Length", str(len(told)))
        self.send_header("X-Told", self.path)
        self.send_header("Location", "http://elsewhere.invalid" + self.path)
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = do_PATCH = do_PROPFIND = do_REPORT = reply

    def log_message(self, *_):
        pass


class MailParrot(socketserver.StreamRequestHandler):
    """Half of SMTP and IMAP, and no to every password."""

    def handle(self):
        self.wfile.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n" if self.server.imap else b"220 ready\r\n")
        for line in self.rfile:
            self.server.heard.append(line.decode(errors="replace"))
            word = line.strip().split(b" ")
            if self.server.imap:
                self.wfile.write(word[0] + b" NO you said " + line.strip() + b"\r\n")
            elif word[0].upper() in (b"EHLO", b"HELO"):
                self.wfile.write(b"250-me\r\n250 AUTH PLAIN\r\n")
            else:
                self.wfile.write(b"535 you said " + line.strip() + b"\r\n")


def serve(server):
    server.heard = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def spellings(secret):
    """As it is, in base64 at each alignment, in hex and as a digest that could be looked up."""
    raw = secret.encode()
    out = {secret, raw.hex(), hashlib.sha256(raw).hexdigest()}
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw).decode()
        out.add(encoded[4 if lead else 0:].rstrip("=")[:-1])
    return out


class Canaries:
    def __init__(self):
        self.values = {name: "canary-" + name + "-" + secrets.token_hex(12) for name in HOOKS + SENT + GRANTED}
        self.values["listener"] = "123456:canary" + secrets.token_hex(12)
        self.values["bot"] = "654321:canary" + secrets.token_hex(12)
        self.values["standard"] = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        self.inline = "canary-inline-" + secrets.token_hex(12)
        self.in_url = "canary-url-" + secrets.token_hex(12)
        self.environment = "canary-environment-" + secrets.token_hex(12)

    def all(self):
        return dict(self.values, inline=self.inline, in_url=self.in_url, environment=self.environment)

    def found_in(self, text, but=()):
        return [name for name, value in self.all().items() if name not in but
                and any(spelling in text for spelling in spellings(value))]


class Planted(unittest.TestCase):
    """One daemon, driven once; each test looks at another part of what it left."""

    @classmethod
    def setUpClass(cls):
        cls.canaries = Canaries()
        cls.parrot = serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Parrot))
        cls.mail, cls.folders = (serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailParrot)) for _ in range(2))
        for server in (cls.mail, cls.folders):
            server.daemon_threads = True
            server.imap = server is cls.folders
        cls.place = Place("")
        place = cls.place
        config = CONFIG.replace("@ECHO@", f"http://127.0.0.1:{cls.parrot.server_address[1]}")
        config = config.replace("@MAIL@", str(cls.mail.server_address[1]))
        place.configure(config.replace("@FOLDERS@", str(cls.folders.server_address[1])))
        (place.path / "seen").mkdir()
        credentials = place.path / "credentials"
        credentials.mkdir()
        for name, value in cls.canaries.values.items():
            place.write(name, value + "\n")
            shutil.copy(place.path / name, credentials / name)
        place.write("echo.py", ECHO_ENTITY)
        cls.said = []
        os.environ.update(CREDENTIALS_DIRECTORY=str(credentials), AWS_SECRET_ACCESS_KEY=cls.canaries.environment)
        try:
            cls.daemon = Daemon(place)
        finally:
            del os.environ["CREDENTIALS_DIRECTORY"], os.environ["AWS_SECRET_ACCESS_KEY"]
        cls.drive()

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()
        cls.place.__exit__()
        cls.parrot.shutdown()
        cls.mail.shutdown()
        cls.folders.shutdown()

    @classmethod
    def ctl(cls, *arguments):
        done = run_ctl(cls.place, *arguments)
        cls.said.append(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    @classmethod
    def knock(cls):
        """Each door with the right secret, with a wrong one, and with the right one at the wrong place."""
        v = cls.canaries.values
        body = b'{"subject":"x"}'
        token = base64.b64encode(f"caller:{v['basic']}".encode()).decode()
        proofs = {
            "github": {"X-Hub-Signature-256": signature(body, v["github"].encode()), "X-GitHub-Event": "push", "X-GitHub-Delivery": "1"},
            "hmac": {"X-Signature": signature(body, v["hmac"].encode()).removeprefix("sha256=")},
            "bearer": {"Authorization": "Bearer " + v["bearer"]},
            "basic": {"Authorization": "Basic " + token},
            "slack": {"X-Slack-Signature": "v0=0", "X-Slack-Request-Timestamp": "1"},
            "stripe": {"Stripe-Signature": "t=1,v1=0"},
            "standard": {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}}
        accepted = []
        for name, headers in proofs.items():
            headers = dict(headers, **{"Content-Type": "application/json"})
            for path in (f"/hooks/{name}", f"/hooks/{name}/{v[name]}", f"/hooks/{name}?token={v[name]}", f"/{v[name]}"):
                status, _, answer = cls.daemon.request("POST", path, body, headers)
                cls.said.append(f"{status} {answer}")
                accepted += [name] if status == 202 else []
            cls.said.append(repr(cls.daemon.request("POST", f"/hooks/{name}", b"{", dict(headers, **{"X-Signature": v[name]}))))
        for path in (f"/hooks/tradingview/{v['tradingview']}", f"/hooks/tradingview/{v['tradingview']}x",
                     f"/ping/{v['ping']}", f"/ping/{v['ping']}/fail", f"/ping/{v['ping']}x"):
            status, _, answer = cls.daemon.request("POST", path, body, {"Content-Type": "application/json"})
            cls.said.append(f"{status} {answer}")
            accepted += [path.split("/")[1]] if status in (200, 202) else []
        return accepted

    @classmethod
    def drive(cls):
        cls.accepted = cls.knock()
        for _ in range(2):
            data = json.dumps({"text": "hello"})
            cls.ctl("events", "emit", "--type", "all.wanted", "--subject", secrets.token_hex(4), "--data", data)
        heard = cls.parrot.heard
        wait_until("every sink has had its say", lambda: len(cls.daemon.ctl("actions", "list")["actions"]) >= 14 and all(
            row["state"] not in ("approved", "sending") or row["attempts"] > 0
            for row in cls.daemon.ctl("actions", "list", "-n", 100)["actions"]))
        wait_until("every source has asked", lambda: all(
            any(part in line for line in heard) for part in ("/list", "/getUpdates", "/calendar", "/deliveries")))
        wait_until("the mail servers were spoken to", lambda: cls.mail.heard and cls.folders.heard)
        wait_until("the programs have looked around", lambda: (cls.place.path / "seen/runbook").exists() and (cls.place.path / "seen/process").exists())
        Parrot.status = 200  # what an answer repeats when all went well
        cls.ctl("events", "emit", "--type", "all.wanted", "--subject", "last", "--data", json.dumps({"text": "bye"}))
        cls.daemon.settle()
        cls.children_lines = cls.lines_of_children()
        good = (cls.place.path / "vigild.toml").read_text()
        for wrong in (f'[sink.x]\nkind = "github"\ntoken = "{cls.canaries.inline}"\n',
                      f'[sink.x]\nkind = "http"\nurl = "https://me:{cls.canaries.in_url}@host/"\n',
                      f'[sink.x]\nkind = "git"\nrepository = "/r"\nremote = "https://me:{cls.canaries.in_url}@host/r"\n',
                      f'[source.x]\nkind = "stream"\nurl = "wss://me:{cls.canaries.in_url}@host/"\n'):
            cls.place.write("vigild.toml", good + wrong)
            cls.said.append(cls.ctl("config", "reload") + cls.ctl("config", "check"))
            done = subprocess.run([BIN / "vigild", "--config", cls.place.path, "--check-config"], capture_output=True, text=True, timeout=PATIENCE)
            cls.said.append(done.stdout + done.stderr)
        cls.place.write("vigild.toml", good)
        cls.ask_everything()

    @classmethod
    def lines_of_children(cls):
        out = ""
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if f"\nPPid:\t{cls.daemon.process.pid}\n" in (process / "status").read_text():
                    out += (process / "cmdline").read_text().replace("\0", " ") + "\n"
            except OSError:
                continue  # it has ended
        return out

    @classmethod
    def ask_everything(cls):
        for words in ("status", "doctor", "doctor --ledger", "budget", "audit -n 200", "metrics", "version", "events list -n 200",
                      "entities list", "entities show clerk", "entities show echo", "cases list", "decisions list", "swarms list",
                      "swarms trend", "actions list -n 200", "timers list", "timers next", "dead list", "memory search hello", "memory show clerk",
                      "memory documents clerk", "memory export clerk", "config show", "config diff", "config reload", "top --count 1"):
            cls.ctl(*words.split())
            cls.ctl(*words.split(), "--json")
        for kind, verb in (("events", "show"), ("events", "explain"), ("swarms", "show"), ("actions", "show"), ("cases", "show")):
            for row in cls.daemon.ctl(kind, "list", "-n", "200")[kind] if kind == "events" else cls.daemon.ctl(kind, "list")[kind]:
                number = row.get("seq", row.get("id"))
                cls.ctl(*(["explain"] if verb == "explain" else [kind, verb]), number, "--json")
        backup = cls.place.path / "backup.db"
        cls.ctl("backup", "create", backup)
        cls.ctl("backup", "verify", backup)
        for path in ("/healthz", "/readyz", "/metrics", "/v1/config", "/v1/nothing"):
            cls.said.append(repr(cls.daemon.request("GET", path)))

    def assert_clean(self, text, what, but=()):
        self.assertEqual(self.canaries.found_in(text, but), [], f"in {what}")

    def test_the_doors_opened_for_the_right_secrets(self):
        """Else what follows would look where nothing was."""
        for name in ("github", "hmac", "bearer", "basic", "hooks", "ping"):
            self.assertIn(name, self.accepted)
        heard = "\n".join(self.parrot.heard + self.mail.heard + self.folders.heard)
        found = self.canaries.found_in(heard)
        for name in ("hub", "slackbot", "bot", "poll", "listener", "calendar", "redelivery", "smtp", "imap", "mailbox"):
            self.assertIn(name, found)

    def test_the_log_at_every_level(self):
        self.assertIn("debug", self.daemon.log())
        self.assert_clean(self.daemon.log(), "the log")

    def test_answers_and_errors(self):
        self.assertGreater(len(self.said), 100)
        self.assert_clean("\n".join(self.said), "what was answered")

    def test_files(self):
        """The database as it is, its backup and all the rest; what is packed was looked at through the commands."""
        files = [file for folder in (self.place.state, self.place.path / "backup.db") for file in
                 ([folder] if folder.is_file() else folder.rglob("*")) if file.is_file()]
        self.assertIn("vigil.db", [file.name for file in files])
        for file in files:
            self.assert_clean(file.read_bytes().decode("latin-1"), file)

    def test_children(self):
        self.assert_clean(self.children_lines + (self.place.path / "seen/lines").read_text(), "arguments")
        for name in GRANTED:
            environment = (self.place.path / "seen" / name).read_text()
            self.assertIn(f"{name.upper()}_TOKEN={self.canaries.values[name]}", environment)
            self.assert_clean(environment, f"the environment of {name}", but=(name,))
        swarms = self.daemon.ctl("swarms", "list")["swarms"]
        task = json.dumps([self.daemon.ctl("swarms", "show", row["id"], "--results") for row in swarms])
        self.assertIn("VIGIL_ATTEMPT", task)
        self.assert_clean(task, "the environment of a task")

    def test_memory(self):
        """What is needed again and again is held once; copies that requests took are overwritten."""
        counts = {name: 0 for name in ("hub", "slackbot", "redelivery", "smtp", "mailbox")}
        pid = self.daemon.process.pid
        with open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
                begin, end = (int(part, 16) for part in line.split()[0].split("-"))
                if "rw" not in line.split()[1] or end - begin > 1 << 30:
                    continue
                try:
                    memory.seek(begin)
                    block = memory.read(end - begin)
                except OSError:
                    continue
                for name in counts:
                    counts[name] += block.count(self.canaries.values[name].encode())
        print(f"copies in memory: {counts}", file=sys.stderr)
        self.assertLessEqual(counts["hub"], 1)
        self.assertLessEqual(counts["slackbot"], 1)


class Crash(unittest.TestCase):
    def test_leaves_no_core(self):
        pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
        if pattern.startswith("|") or "/" in pattern:
            self.skipTest(f"core files go to {pattern}")
        config = '[daemon]\nsafe_mode_starts = 0\n[http]\nlisten = ["127.0.0.1:0"]\n'
        wrapper = ("/bin/sh", "-c", 'ulimit -c unlimited; cd "$0"; exec "$@"')
        with Place(config) as place:
            folder = place.path / "cores"
            folder.mkdir()
            try:
                resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            except ValueError:
                self.skipTest("core files are off for good here")
            plain = subprocess.Popen([*wrapper, folder, "sleep", "60"], start_new_session=True)
            wait_until("it sleeps", lambda: b"sleep" in pathlib.Path(f"/proc/{plain.pid}/cmdline").read_bytes().split(b"\0")[0])
            plain.send_signal(signal.SIGABRT)
            plain.wait(PATIENCE)
            if not list(folder.iterdir()):
                self.skipTest("no program leaves a core file here")
            shutil.rmtree(folder)
            folder.mkdir()
            daemon = Daemon(place, wrapper=(*wrapper, str(folder)))
            limits = pathlib.Path(f"/proc/{daemon.process.pid}/limits").read_text()
            self.assertRegex(limits, r"Max core file size +0 +0")
            daemon.process.send_signal(signal.SIGSEGV if "asan" not in str(BIN) else signal.SIGABRT)
            daemon.process.wait(PATIENCE)
            daemon._close()
            self.assertEqual(list(folder.iterdir()), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
