"""A postfix of its own in a private directory: takes mail by SMTP on loopback and hands it on by LMTP. Its master needs
root, and its queue a directory of its own."""
import os
import pathlib
import pwd
import shutil
import smtplib
import subprocess
import tempfile

from dovecot import free_port
from vigild import wait_until

PROGRAM = shutil.which("postfix") or "/usr/sbin/postfix"

MAIN = """
compatibility_level = 3.6
queue_directory = @DIR@/queue
data_directory = @DIR@/data
maillog_file = @DIR@/log
maillog_file_prefixes = @DIR@
myhostname = mx.example.org
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
smtpd_recipient_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = tickets.example.org
virtual_transport = lmtp:inet:127.0.0.1:@LMTP@
default_transport = discard
# A door that is shut is tried again at once: the daemon comes back soon.
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
destination_concurrency_feedback_debug = no
lmtp_destination_concurrency_failed_cohort_limit = 0
transport_retry_time = 1s
"""
MASTER = """
127.0.0.1:@SMTP@ inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def present():
    """Why not; nothing: it is there."""
    if not os.path.exists(PROGRAM):
        return "postfix is not installed"
    return None if os.geteuid() == 0 else "postfix can only be started by root"


class Postfix:
    """Hands what comes for tickets.example.org to `lmtp_port`."""

    def __init__(self, lmtp_port):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="vigild-postfix-"))
        self.path.chmod(0o755)
        self.port = free_port()
        for name in ("queue", "data", "etc"):
            (self.path / name).mkdir()
        os.chown(self.path / "data", pwd.getpwnam("postfix").pw_uid, -1)
        for name, text in (("main.cf", MAIN), ("master.cf", MASTER)):
            for key, value in (("DIR", self.path), ("SMTP", self.port), ("LMTP", lmtp_port)):
                text = text.replace(f"@{key}@", str(value))
            (self.path / "etc" / name).write_text(text.lstrip())
        self.run("start")
        wait_until("postfix listens", self._answers)

    def run(self, verb):
        done = subprocess.run([PROGRAM, "-c", str(self.path / "etc"), verb], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr + self.log()

    def log(self):
        file = self.path / "log"
        return file.read_text() if file.exists() else ""

    def _answers(self):
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=5):
                return True
        except (OSError, smtplib.SMTPException):
            return False

    def send(self, recipient, *messages):
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            for message in messages:
                client.sendmail("sender@example.net", [recipient], message)

    def queued(self):
        """How many wait to be handed on."""
        folders = ("active", "deferred", "incoming", "maildrop")
        return sum(len(files) for name in folders for _, _, files in os.walk(self.path / "queue" / name))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run("stop")
        shutil.rmtree(self.path, ignore_errors=True)
