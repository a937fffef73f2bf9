"""A dovecot of its own in a private directory: IMAP in the open, under TLS, and LMTP, all on loopback."""
import grp
import imaplib
import os
import pathlib
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile

from vigild import wait_until

PROGRAM = shutil.which("dovecot") or "/usr/sbin/dovecot"
USER, PASSWORD = "ada@example.org", "a-password-that-nobody-logs"

CONFIG = """
base_dir = @DIR@/run
state_dir = @DIR@/state
log_path = @DIR@/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = @INTERNAL@
default_internal_group = @INTERNAL_GROUP@
default_login_user = @LOGIN@
first_valid_uid = 1
mail_location = maildir:@DIR@/mail/%u
auth_mechanisms = plain login
disable_plaintext_auth = no
passdb {
  driver = passwd-file
  args = @DIR@/passwd
}
userdb {
  driver = static
  args = uid=@UID@ gid=@GID@ home=@DIR@/mail/%u
}
ssl = yes
ssl_cert = <@DIR@/certificate.pem
ssl_key = <@DIR@/key.pem
namespace inbox {
  inbox = yes
  mailbox Drafts {
    special_use = \\Drafts
    auto = create
  }
  mailbox Junk {
    special_use = \\Junk
    auto = create
  }
  mailbox Trash {
    special_use = \\Trash
    auto = create
  }
  mailbox Archive {
    auto = create
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    port = @IMAP@
  }
  inet_listener imaps {
    port = @IMAPS@
    ssl = yes
  }
}
service anvil {
  chroot =
}
service lmtp {
  inet_listener lmtp {
    port = @LMTP@
  }
}
protocol lmtp {
  auth_username_format = %u
}
imap_capability = @CAPABILITY@
mail_max_userip_connections = 50
"""


def present():
    """Why not; nothing: it is there."""
    if not os.path.exists(PROGRAM):
        return "dovecot is not installed (packages dovecot-imapd dovecot-lmtpd)"
    if not shutil.which("openssl"):
        return "openssl is not installed"
    return None


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class Dovecot:
    """`extra` ends its configuration."""

    def __init__(self, capability="", extra=""):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="vigild-dovecot-"))
        self.path.chmod(0o755)
        root = os.geteuid() == 0
        mail = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
        me = pwd.getpwuid(os.geteuid()).pw_name
        self.imap_port, self.imaps_port, self.lmtp_port = free_port(), free_port(), free_port()
        values = {"DIR": self.path, "INTERNAL": "dovecot" if root else me, "LOGIN": "dovenull" if root else me,
                  "INTERNAL_GROUP": "dovecot" if root else grp.getgrgid(os.getegid()).gr_name,
                  "UID": mail.pw_uid, "GID": mail.pw_gid, "IMAP": self.imap_port, "IMAPS": self.imaps_port,
                  "LMTP": self.lmtp_port, "CAPABILITY": capability}
        text = CONFIG + extra
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        if not capability:
            text = text.replace("imap_capability = \n", "")
        (self.path / "dovecot.conf").write_text(text)
        (self.path / "passwd").write_text(f"{USER}:{{PLAIN}}{PASSWORD}::::::\n")
        (self.path / "mail").mkdir()
        os.chown(self.path / "mail", mail.pw_uid, mail.pw_gid)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-keyout", self.path / "key.pem", "-out", self.path / "certificate.pem", "-days",
                        "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([PROGRAM, "-F", "-c", str(self.path / "dovecot.conf")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until("dovecot listens", self._answers)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("dovecot ended: " + self.log())
        try:
            for port in (self.imap_port, self.lmtp_port):
                socket.create_connection(("127.0.0.1", port), 5).close()
            return True
        except OSError:
            return False

    def log(self):
        file = self.path / "dovecot.log"
        return file.read_text() if file.exists() else ""

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def renumber(self):
        """Forgets which UIDs its messages had: a new UIDVALIDITY, as after a restored backup. It must be stopped."""
        for file in (self.path / "mail").rglob("dovecot*"):
            if file.name.startswith(("dovecot-uid", "dovecot.index", "dovecot.list")):
                file.unlink()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.path, ignore_errors=True)

    def deliver(self, *messages):
        """As a mail server does, by LMTP."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port) as client:
            for message in messages:
                client.sendmail("sender@example.net", [USER], message)

    def session(self, folder="INBOX"):
        """The user's own mail program."""
        client = imaplib.IMAP4("127.0.0.1", self.imap_port)
        client.login(USER, PASSWORD)
        client.select(folder)
        return client

    def subjects(self, folder):
        """Subjects and flags of what lies there."""
        with self.session(folder) as client:
            _, found = client.search(None, "ALL")
            out = []
            for number in found[0].split():
                _, data = client.fetch(number, "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
                head = data[0][1].decode()
                flags = imaplib.ParseFlags(data[0][0] if b"FLAGS" in data[0][0] else data[1])
                out.append((head.split(":", 1)[1].strip(), {flag.decode() for flag in flags} - {"\\Recent"}))
            return out
