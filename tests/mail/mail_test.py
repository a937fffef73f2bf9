#!/usr/bin/env python3
"""Mail with real servers: a dovecot of its own whose account is listened to and acted in, an LMTP client that delivers,
a Maildir; and the daemon killed in the middle of each."""
import email
import email.message
import os
import pathlib
import smtplib
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import postfix  # noqa: E402
from dovecot import PASSWORD, USER, Dovecot, free_port, present  # noqa: E402
from smtp_server import SmtpServer  # noqa: E402
from vigild import BIN, Daemon, Place, seen, wait_until  # noqa: E402

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
port = @PORT@
tls = "@TLS@"
ca_file = "@CA@"
user = "@USER@"
password = "file:@DIR@/imap"
folders = ["INBOX", "Archive", "Junk"]
every = "@EVERY@"
idle = @IDLE@
"""
SORTER = """
[sink.box]
kind = "imap"
host = "localhost"
port = @PORT@
tls = "@TLS@"
ca_file = "@CA@"
user = "@USER@"
password = "file:@DIR@/imap"
protected_folders = ["Junk"]
[entity.sorter]
kind = "rules"
autonomy = "act"
autonomy_of = { notify = "act" }
case_key = "{{event.subject}}"
[[entity.sorter.on]]
source = "inbox"
types = ["mail.message"]
[[entity.sorter.rule]]
name = "file"
match = { "data.folder" = ["INBOX"] }
[[entity.sorter.rule.action]]
sink = "box"
payload = { do = "flag", add = ["\\\\Flagged"], message = { folder = "INBOX", message_id = "{{event.data.message_id}}" } }
[[entity.sorter.rule.action]]
sink = "box"
payload = { do = "draft", to = ["Bob <bob@example.org>"], subject = "Re: {{event.data.message_id}}", text = "Grüße" }
[[entity.sorter.rule.action]]
sink = "box"
payload = { do = "move", to = "Archive", message = { folder = "INBOX", message_id = "{{event.data.message_id}}" } }
"""


def message(number, text="hello"):
    out = email.message.EmailMessage()
    out["From"], out["To"], out["Subject"] = "Bob <bob@example.net>", USER, f"number {number}"
    out["Message-ID"], out["Date"] = f"<m{number}@example.net>", "Mon, 01 Jan 2024 00:00:00 +0000"
    out.set_content(text)
    return out.as_bytes(policy=out.policy.clone(linesep="\r\n"))


class World(Place):
    def __init__(self, config, server, tls="implicit", every="5m", idle="true"):
        port = server.imaps_port if tls == "implicit" else server.imap_port
        for name, value in (("PORT", port), ("TLS", tls), ("USER", USER), ("EVERY", every), ("IDLE", idle),
                            ("CA", server.path / "certificate.pem")):
            config = config.replace(f"@{name}@", str(value))
        super().__init__(BASE + config)
        self.write("imap", PASSWORD)


def events(daemon, kind="mail.*"):
    """Oldest first, with their data."""
    listed = daemon.ctl("events", "list", "--type", kind, "-n", "500")["events"]
    return [daemon.ctl("events", "show", one["id"]) for one in reversed(listed)]


def ids(daemon, kind="mail.message"):
    return [one["data"]["message_id"] for one in events(daemon, kind)]


def has_looked(world, source="inbox", item="f:%", count=3):
    """The mailbox is known: what comes from now on is new."""
    wait_until("the mailbox was looked at", lambda: seen(world, source, item) == count)


@unittest.skipIf(present(), present())
class Account(unittest.TestCase):
    def test_what_comes_is_heard_and_what_the_user_does_is_told(self):
        for tls, idle, every in (("implicit", "true", "5m"), ("starttls", "true", "5m"), ("none", "false", "1s")):
            with self.subTest(tls=tls, idle=idle), Dovecot() as server:
                server.deliver(message(1))
                with World(ACCOUNT, server, tls=tls, idle=idle, every=every) as world, Daemon(world) as daemon:
                    has_looked(world)
                    self.assertEqual(ids(daemon), [])  # what was there is not told
                    server.deliver(message(2, "is it Tuesday?"))
                    wait_until("it is told", lambda: ids(daemon) == ["m2@example.net"])
                    told = events(daemon)[0]
                    self.assertEqual(told["subject"], "m2@example.net")
                    self.assertEqual((told["data"]["account"], told["data"]["folder"], told["data"]["special"]),
                                     ("inbox", "INBOX", "inbox"))
                    self.assertEqual(told["data"]["raw_ref"]["kind"], "imap")
                    self.assertEqual(server.subjects("INBOX")[1], ("number 2", set()))  # not marked as read
                    with server.session() as mine:
                        mine.store("2", "+FLAGS", "(\\Flagged todo)")
                        flagged = wait_until("flags are told", lambda: events(daemon, "mail.flagged"))[0]["data"]
                        self.assertEqual((flagged["added"], flagged["labels"]), (["\\Flagged", "todo"], ["todo"]))
                        mine.copy("2", "Archive")
                        mine.store("2", "+FLAGS", "\\Deleted")
                        mine.expunge()
                    moved = wait_until("the move is told", lambda: events(daemon, "mail.moved"))[0]["data"]
                    self.assertEqual((moved["from_folder"], moved["folder"], moved["message_id"]),
                                     ("INBOX", "Archive", "m2@example.net"))
                    with server.session() as mine:  # one that was there before we came
                        mine.store("1", "+FLAGS", "\\Deleted")
                        mine.expunge()
                    gone = wait_until("what is gone is told", lambda: events(daemon, "mail.gone"))[0]["data"]
                    self.assertEqual(gone["message_id"], "m1@example.net")
                    self.assertEqual(ids(daemon), ["m2@example.net"])
                    self.assertNotIn(PASSWORD, daemon.log())

    def test_a_server_that_nobody_vouches_for_gets_no_password(self):
        with Dovecot() as server, World(ACCOUNT.replace('ca_file = "@CA@"\n', ""), server) as world, \
                Daemon(world) as daemon:
            wait_until("it is said", lambda: daemon.said("is not trusted"))
            self.assertIn("set ca_file", daemon.log())
            self.assertNotIn("Login:", server.log())

    def test_killed_again_and_again_nothing_is_lost_and_nothing_told_twice(self):
        with Dovecot() as server, World(ACCOUNT, server) as world:
            with Daemon(world) as daemon:
                has_looked(world)
            sent = 0
            for round_ in range(4):
                daemon = Daemon(world)
                batch = [message(100 + sent + i) for i in range(12)]
                sender = threading.Thread(target=server.deliver, args=batch)
                sender.start()
                wait_until("some are told", lambda: len(ids(daemon)) > sent)
                daemon.kill()
                sender.join()
                sent += 12
            server.stop()  # and the server as well
            with Daemon(world) as daemon:
                server.start()
                wait_until("all are told", lambda: len(ids(daemon)) >= sent)
                daemon.settle()
                self.assertEqual(sorted(ids(daemon)), sorted(f"m{100 + i}@example.net" for i in range(sent)))

    def test_flag_draft_and_move_are_done_once_though_the_daemon_is_killed(self):
        for capability in ("", "IMAP4rev1 SASL-IR AUTH=PLAIN UIDPLUS IDLE"):  # with MOVE, and without
            with self.subTest(capability=capability), Dovecot(capability) as server, \
                    World(ACCOUNT + SORTER, server) as world:
                with Daemon(world) as daemon:
                    has_looked(world)
                for number in range(4):
                    daemon = Daemon(world)
                    server.deliver(message(number))
                    wait_until("something is done", lambda: server.subjects("Drafts") or server.subjects("Archive") or
                               any(flags for _, flags in server.subjects("INBOX")))
                    daemon.kill()
                with Daemon(world) as daemon:
                    def done():
                        return len(server.subjects("Archive")) == 4 and len(server.subjects("Drafts")) == 4 and \
                            not [one for one in daemon.ctl("actions", "list")["actions"]
                                 if one["state"] in ("approved", "sending")]
                    wait_until("all is done", done)
                    self.assertEqual(server.subjects("INBOX"), [])
                    self.assertEqual(sorted(server.subjects("Archive")),
                                     [(f"number {n}", {"\\Flagged"}) for n in range(4)])
                    self.assertEqual(sorted(subject for subject, _ in server.subjects("Drafts")),
                                     [f"Re: m{n}@example.net" for n in range(4)])
                    states = {one["state"] for one in daemon.ctl("actions", "list")["actions"]}
                    self.assertEqual(states, {"delivered"})
                    # What our own sink moved is told as a move, not as a new message.
                    wait_until("moves are told", lambda: len(events(daemon, "mail.moved")) == 4)
                    self.assertEqual(len(ids(daemon)), 4)


LMTP = """
[source.post]
kind = "lmtp"
listen = "@DIR@/post.sock"
recipients = ["*@tickets.example.org"]
"""


class Local(smtplib.LMTP):
    def __init__(self, path):
        super().__init__(str(path))


class Delivery(unittest.TestCase):
    def deliver(self, world, *words, text=message(1)):
        return subprocess.run([str(BIN / "vigilctl"), "mail", "deliver", "--to", str(world.path / "post.sock"), *words],
                              input=text, capture_output=True, timeout=60)

    def test_what_a_mail_server_delivers_is_stored_before_it_is_answered(self):
        with Place(BASE + LMTP) as world:
            with Daemon(world) as daemon:
                with Local(world.path / "post.sock") as client:
                    refused = client.sendmail("a@example.net", ["help@tickets.example.org", "x@example.org"], message(1))
                    self.assertEqual(refused["x@example.org"][0], 550)
                    client.sendmail("a@example.net", ["help@tickets.example.org"], message(1))  # sent again
                    client.sendmail("", ["help@tickets.example.org"], message(2))
                self.assertEqual(ids(daemon), ["m1@example.net", "m2@example.net"])
                data = events(daemon)[0]["data"]
                self.assertEqual(data["envelope"], {"from": "a@example.net", "to": ["help@tickets.example.org"]})
                self.assertEqual(pathlib.Path(data["raw_ref"]["path"]).read_bytes(), message(1))
                done = self.deliver(world, "--recipient", "help@tickets.example.org", text=b"From x\n" + message(3))
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertEqual(ids(daemon)[2], "m3@example.net")
                self.assertEqual(self.deliver(world, "--recipient", "x@example.org").returncode, 69)
            self.assertEqual(self.deliver(world, "--recipient", "help@tickets.example.org").returncode, 75)

    def test_killed_while_mail_comes_every_250_is_an_event(self):
        with Place(BASE + LMTP) as world:
            taken, number = [], 0
            for _ in range(4):
                daemon = Daemon(world)
                killer = threading.Timer(0.4, daemon.kill)
                killer.start()
                try:
                    with Local(world.path / "post.sock") as client:
                        while True:
                            number += 1
                            client.sendmail("a@example.net", ["help@tickets.example.org"], message(number))
                            taken.append(f"m{number}@example.net")
                except (OSError, smtplib.SMTPException):
                    number -= 1  # it is sent again, as a mail server does
                killer.join()
            with Daemon(world) as daemon:
                stored = ids(daemon)
                self.assertEqual(len(stored), len(set(stored)))
                self.assertEqual(set(taken) - set(stored), set())

    @unittest.skipIf(postfix.present(), postfix.present())
    def test_postfix_keeps_what_is_not_stored_and_all_of_it_is_told_once(self):
        port = free_port()
        config = LMTP.replace("@DIR@/post.sock", f"127.0.0.1:{port}")
        with Place(BASE + config) as world, postfix.Postfix(port) as server:
            sent = 0
            for _ in range(3):
                daemon = Daemon(world)
                server.send("help@tickets.example.org", *[message(sent + i) for i in range(20)])
                wait_until("some are told", lambda: len(ids(daemon)) > sent)
                daemon.kill()
                sent += 20
            server.send("help@tickets.example.org", message(sent))  # nobody is there: it waits in the queue
            self.assertGreater(server.queued(), 0)
            with Daemon(world) as daemon:
                wait_until("postfix has got rid of all", lambda: server.queued() == 0)
                self.assertEqual(sorted(ids(daemon)), sorted(f"m{i}@example.net" for i in range(sent + 1)))


MAILDIR = """
[source.local]
kind = "maildir"
path = "@DIR@/Maildir"
folders = ["INBOX", "Archive"]
[sink.box]
kind = "maildir"
path = "@DIR@/Maildir"
"""


class Folder(unittest.TestCase):
    def test_new_messages_flags_and_moves_of_a_maildir(self):
        with Place(BASE + MAILDIR) as world:
            root = world.path / "Maildir"
            for part in ("new", "cur", "tmp", ".Archive/new", ".Archive/cur", ".Archive/tmp"):
                (root / part).mkdir(parents=True)
            (root / "cur/1.old:2,S").write_bytes(message(1))
            with Daemon(world) as daemon:
                def put(number):
                    (root / f"tmp/{number}.x").write_bytes(message(number))
                    os.rename(root / f"tmp/{number}.x", root / f"new/{number}.x")
                has_looked(world, "local", "form", 1)
                put(2)
                wait_until("it is told", lambda: ids(daemon) == ["m2@example.net"])
                daemon.kill()
            put(3)
            os.rename(root / "new/2.x", root / "cur/2.x:2,S")
            with Daemon(world) as daemon:
                wait_until("it is told", lambda: "m3@example.net" in ids(daemon))
                wait_until("the flag is told", lambda: events(daemon, "mail.flagged"))
                os.rename(root / "cur/2.x:2,S", root / ".Archive/cur/2.x:2,S")
                moved = wait_until("the move is told", lambda: events(daemon, "mail.moved"))[0]["data"]
                self.assertEqual((moved["from_folder"], moved["folder"]), ("INBOX", "Archive"))
                self.assertEqual(ids(daemon), ["m2@example.net", "m3@example.net"])


SENDER = """
[sink.out]
kind = "smtp"
host = "127.0.0.1"
port = @SMTP@
tls = "none"
from = "Post <post@example.org>"
to = ["*@example.org"]
[entity.answerer]
kind = "rules"
autonomy = "act"
autonomy_of = { notify = "act" }
case_key = "{{event.subject}}"
[[entity.answerer.on]]
source = "post"
[[entity.answerer.rule]]
name = "answer"
[[entity.answerer.rule.action]]
sink = "out"
payload = { do = "send", to = ["Ada <ada@example.org>"], subject = "Größe", text = "about {{event.data.message_id}}" }
[[entity.answerer.rule.action]]
sink = "out"
payload = { do = "send", to = ["eve@elsewhere.example"], text = "hello" }
"""


class Sending(unittest.TestCase):
    def test_to_whom_is_allowed_once_and_never_again_when_nobody_knows(self):
        with SmtpServer() as server, Place(BASE + LMTP + SENDER.replace("@SMTP@", str(server.port))) as world, \
                Daemon(world) as daemon:
            def give(number):
                with Local(world.path / "post.sock") as client:
                    client.sendmail("a@example.net", ["help@tickets.example.org"], message(number))

            def states():
                return sorted(one["state"] for one in daemon.ctl("actions", "list")["actions"])
            give(1)
            wait_until("it is sent", lambda: states() == ["delivered", "failed"])
            envelope, sent = server.taken[0]
            self.assertEqual(envelope, ["MAIL FROM:<post@example.org>", "RCPT TO:<ada@example.org>"])
            self.assertEqual(sent["Auto-Submitted"], "auto-generated")
            self.assertEqual(sent.get_payload(decode=True).decode().strip(), "about m1@example.net")
            server.silent = True
            give(2)
            wait_until("nobody knows", lambda: states() == ["delivered", "failed", "failed", "unknown"])
            daemon.settle()
            self.assertEqual(len(server.taken), 2)
            self.assertNotEqual(server.taken[0][1]["Message-ID"], server.taken[1][1]["Message-ID"])


if __name__ == "__main__":
    unittest.main()
