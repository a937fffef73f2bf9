"""Mails and a comms entity for tests: the same words in the configuration of each."""
import email.message
import email.utils
import smtplib

from vigild import Place

USER = "ada@example.org"

BASE = """
[daemon]
safe_mode_starts = 0  # it is killed on purpose, often
drain_timeout = "2s"
[http]
listen = ["127.0.0.1:0"]
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
"""
ACCOUNT = """
[source.inbox]
kind = "imap"
host = "localhost"
port = @IMAPS@
ca_file = "@CA@"
user = "@USER@"
password = "file:@DIR@/imap"
folders = ["INBOX", "Archive", "Junk"]
every = "2s"
[sink.box]
kind = "imap"
host = "localhost"
port = @IMAPS@
ca_file = "@CA@"
user = "@USER@"
password = "file:@DIR@/imap"
"""
DOOR = """
[source.door]
kind = "lmtp"
listen = "@DIR@/post.sock"
"""
OUT = """
[sink.out]
kind = "smtp"
host = "127.0.0.1"
port = @SMTP@
tls = "none"
from = "Ada <@USER@>"
to = ["*@example.net", "*@example.com"]
timeout = "60s"
"""
KEEPER = """
[sink.desk]
kind = "file"
path = "@DIR@/desk.jsonl"
[entity.post]
kind = "comms"
autonomy = "act"
autonomy_of = { notify = "act", draft = "act", move = "act", flag = "act", label = "act" }
[[entity.post.on]]
source = "@SOURCE@"
types = ["mail.*"]
[entity.post.comms]
addresses = ["@USER@"]
names = ["Ada"]
report_sink = "desk"
"""


class World(Place):
    """`settings` end the table [entity.post.comms]."""

    def __init__(self, config, settings="", **values):
        values.setdefault("USER", USER)
        text = BASE + config + settings
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        self.text = text
        super().__init__(text)

    def deliver(self, *messages):
        """As a mail server does, by LMTP."""
        with smtplib.LMTP(str(self.path / "post.sock")) as client:
            for one in messages:
                client.sendmail("sender@example.net", [USER], one)


def mail(number, text, sender="Bob <bob@example.net>", to=USER, subject=None, answers=None, date=None, **headers):
    out = email.message.EmailMessage()
    out["From"], out["To"], out["Subject"] = sender, to, subject or f"number {number}"
    out["Message-ID"] = f"<m{number}@example.net>"
    out["Date"] = email.utils.format_datetime(date) if date else email.utils.formatdate()
    if answers:
        out["References"] = out["In-Reply-To"] = f"<m{answers}@example.net>"
    for name, value in headers.items():
        out[name.replace("_", "-")] = value
    out.set_content(text)
    return out.as_bytes(policy=out.policy.clone(linesep="\r\n"))


def actions(daemon, kind=None):
    listed = daemon.ctl("actions", "list", "-n", "500")["actions"]
    return [one for one in listed if kind is None or one["kind"] == kind]
