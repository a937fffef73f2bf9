"""Drives the real programs from outside: a private directory, a daemon in it, webhooks, vigilctl."""
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import uuid

BIN = pathlib.Path(os.environ.get("VIGIL_BIN_DIR", "build/asan/bin")).resolve()
SOURCE = pathlib.Path(os.environ.get("VIGIL_SOURCE_DIR", ".")).resolve()
SECRET = b"It's a Secret to Everybody"
PATIENCE = 60  # seconds; a bound for a hung program, not a measurement


def wait_until(what, condition, patience=PATIENCE):
    """Polls until the condition gives something true, and gives it back."""
    until = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"waited {patience} s in vain: {what}")
        time.sleep(0.02)


class Place:
    """A directory with a configuration and a state of its own, gone at the end."""

    def __init__(self, config, base=None):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="vigild-test-", dir=base))
        self.state = self.path / "state"
        self.write("secret", SECRET.decode())
        self.configure(config)

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o600)
        return file

    def configure(self, config):
        return self.write("vigild.toml", config.replace("@DIR@", str(self.path)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


class Daemon:
    def __init__(self, place, wrapper=(), programs=BIN):
        self.place = place
        environment = dict(os.environ, STATE_DIRECTORY=str(place.state))
        self.process = subprocess.Popen(
            [*wrapper, str(programs / "vigild"), "--config", str(place.path)], stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environment, text=True,
            errors="replace", start_new_session=True)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        wait_until("the daemon is ready", lambda: self.said("is ready") or self.ended())
        if self.ended():
            self.reader.join(5)
            raise AssertionError("the daemon ended: " + "".join(self.lines))
        self.port = int(re.search(r"port=(\d+)", self.log()).group(1))

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def log(self):
        return "".join(self.lines)

    def said(self, text):
        return text in self.log()

    def ended(self):
        return self.process.poll() is not None

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._close()

    def stop(self):
        if not self.ended():
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)
        self._close()
        return self.process.returncode

    def _close(self):
        self.reader.join(5)
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        bad = [line for line in self.lines if "Sanitizer" in line or "runtime error:" in line]
        if bad:
            raise AssertionError("".join(self.lines[-80:]))

    def request(self, method, path, body=b"", headers=None):
        """Status, headers and body of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def post_github(self, payload, event="pull_request", delivery=None, secret=SECRET, path=None):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        status, _, answer = self.request("POST", path or "/hooks/github", body, {
            "Content-Type": "application/json", "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": signature(body, secret)})
        return status, json.loads(answer)

    def ctl(self, *arguments, expect=0):
        """vigilctl with --json; its output as a value."""
        done = run_ctl(self.place, *arguments, "--json")
        assert done.returncode == expect, f"{arguments}: {done.returncode} {done.stdout} {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def ctl_text(self, *arguments, expect=0):
        done = run_ctl(self.place, *arguments)
        assert done.returncode == expect, f"{arguments}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout + done.stderr

    def settle(self):
        """Waits until nothing is left to route, decide or run."""
        def quiet():
            now = self.ctl("status")["runtime"]
            return now["unrouted"] == 0 and now["wakes_open"] == 0 and now["swarms_running"] == 0
        wait_until("everything is decided", quiet)


def seen(place, source, like="%"):
    """How many rows a source keeps of what it saw: 0, it has not looked yet."""
    with sqlite3.connect(f"file:{place.state}/vigil.db?mode=ro", uri=True) as db:
        return db.execute("SELECT count(*) FROM seen WHERE source = ? AND item LIKE ?", (source, like)).fetchone()[0]


def run_ctl(place, *arguments):
    return subprocess.run(
        [str(BIN / "vigilctl"), "--socket", str(place.state / "admin.sock"), *map(str, arguments)],
        capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)


def signature(body, secret=SECRET):
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def real_payload(name="pull_request.opened"):
    return (SOURCE / f"tests/data/webhooks/github/{name}.json").read_bytes()
