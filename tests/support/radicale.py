"""A radicale of its own in a private directory: a CalDAV server on loopback with one user and one calendar."""
import base64
import http.client
import os
import pathlib
import shutil
import subprocess
import tempfile

from dovecot import free_port
from vigild import wait_until

PROGRAM = shutil.which("radicale") or "/usr/bin/radicale"
USER, PASSWORD = "ada", "a-password-that-nobody-logs"
CALENDAR = f"/{USER}/diary/"

CONFIG = """
[server]
hosts = 127.0.0.1:@PORT@
[auth]
type = htpasswd
htpasswd_filename = @DIR@/users
htpasswd_encryption = plain
[storage]
filesystem_folder = @DIR@/collections
[logging]
level = warning
"""

MAKE = """<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop><displayname>Diary</displayname>
</prop></set></C:mkcalendar>"""


def present():
    """Why not; nothing: it is there."""
    return None if os.path.exists(PROGRAM) else "radicale is not installed"


class Radicale:
    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="vigild-radicale-"))
        self.port = free_port()
        (self.path / "config").write_text(
            CONFIG.replace("@PORT@", str(self.port)).replace("@DIR@", str(self.path)))
        (self.path / "users").write_text(f"{USER}:{PASSWORD}\n")
        self.url = f"http://127.0.0.1:{self.port}{CALENDAR}"
        self.process = None
        self.start()
        assert self.request("MKCALENDAR", CALENDAR, MAKE) == 201

    def start(self):
        with open(self.path / "log", "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "--config", str(self.path / "config")], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        wait_until("radicale answers", self._answers)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("radicale ended: " + (self.path / "log").read_text())
        try:
            return self.request("OPTIONS", "/") > 0
        except OSError:
            return False

    def request(self, method, path, body="", headers=None):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            word = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            line.request(method, path, body.encode(), {"Authorization": "Basic " + word, **(headers or {})})
            answer = line.getresponse()
            answer.read()
            return answer.status
        finally:
            line.close()

    def put(self, name, text):
        """An event as the user's own program writes it."""
        status = self.request("PUT", f"{CALENDAR}{name}.ics", text, {"Content-Type": "text/calendar; charset=utf-8"})
        assert status in (201, 204), status

    def delete(self, name):
        assert self.request("DELETE", f"{CALENDAR}{name}.ics") == 200

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.path, ignore_errors=True)
