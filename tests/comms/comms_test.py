#!/usr/bin/env python3
"""Somebody's post end to end: questions answered out of documents, letters that wait for a word, promises and answers that
are waited for, moves that are learned; the daemon killed in the middle of each."""
import datetime
import email
import email.utils
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from comms_world import ACCOUNT, DOOR, KEEPER, OUT, World, actions, mail  # noqa: E402
from dovecot import PASSWORD, USER, Dovecot, present  # noqa: E402
from smtp_server import SmtpServer  # noqa: E402
from vigild import Daemon, seen, wait_until  # noqa: E402

HANDBOOK = """
[source.handbook]
kind = "documents"
path = "@DIR@/handbook"
entity = "post"
every = "1s"
"""


def pdf(text):
    """One page with one line: what pdftotext reads."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
               "/Resources << /Font << /F1 5 0 R >> >> >>",
               f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
               "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    out, places = "%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{one}\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    out += "".join(f"{place:010} 00000 n \n" for place in places)
    return out + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n"


def told(world, what=None):
    """Texts that the desk was told."""
    file = world.path / "desk.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    lines = [one.get("payload", one) for one in lines]
    return [one["text"] for one in lines if what in (None, one["what"])]


def letters(server, folder):
    """What lies there, read as a mail program does."""
    with server.session(folder) as client:
        _, found = client.search(None, "ALL")
        return [email.message_from_bytes(client.fetch(number, "(BODY.PEEK[])")[1][0][1])
                for number in found[0].split()]


def body(letter):
    return letter.get_payload(decode=True).decode().replace("\r\n", "\n")


@unittest.skipIf(present(), present())
class Account(unittest.TestCase):
    def world(self, server, config, settings):
        world = World(ACCOUNT + config + KEEPER.replace("@SOURCE@", "inbox"), settings, IMAPS=server.imaps_port,
                      CA=server.path / "certificate.pem")
        world.write("imap", PASSWORD)
        return world

    def test_a_question_is_answered_out_of_the_documents_into_drafts_once_and_nothing_is_sent(self):
        questions = [("When is the tank checked?", "The tank is checked every October.", "heating.md, Heating › Upkeep"),
                     ("Where is the spare key kept?", "The spare key is kept at the bakery.", "keys.txt, line 1"),
                     ("Who repairs the roof?", "The roof is repaired by Miller.", "roof.html"),
                     ("How much does the lift cost a year?", "The lift costs 900 euros a year.", "lift.pdf, page 1")]
        with Dovecot() as server, self.world(server, HANDBOOK, 'mail_sink = "box"\n') as world:
            world.write("handbook/heating.md", "# Heating\n\n## Upkeep\n\nThe tank is checked every October.\n")
            world.write("handbook/keys.txt", "The spare key is kept at the bakery.\n")
            world.write("handbook/roof.html", "<html><title>Roof</title><p>The roof is repaired by Miller.</p></html>")
            world.write("handbook/lift.pdf", pdf("The lift costs 900 euros a year."))
            with Daemon(world) as daemon:
                wait_until("the mailbox is known", lambda: seen(world, "inbox", "f:%") == 3)
                wait_until("the handbook is read", lambda: len(daemon.ctl(
                    "memory", "search", "tank key roof lift", "--entity", "post")["found"]) == 4)
                for number, (question, _, _) in enumerate(questions):
                    server.deliver(mail(number, f"Hi Ada,\n\n{question}\n\nBob"))
                    if number == 1:
                        wait_until("one is answered", lambda: server.subjects("Drafts"))
                        daemon.kill()
                        daemon = Daemon(world)
                server.deliver(mail(9, "Hi Ada,\n\nWhat does Carol think of Mozart?\n\nBob"))
                wait_until("all are answered", lambda: len(server.subjects("Drafts")) == 4 and
                           len(daemon.ctl("events", "list", "--type", "mail.message")["events"]) == 5)
                daemon.settle()
                daemon.kill()
            with Daemon(world) as daemon:
                daemon.settle()
                drafts = sorted(letters(server, "Drafts"), key=lambda one: one["In-Reply-To"])
                self.assertEqual(len(drafts), 4)
                for number, (draft, (question, quote, source)) in enumerate(zip(drafts, questions)):
                    self.assertEqual(draft["In-Reply-To"], f"<m{number}@example.net>")
                    self.assertEqual(email.utils.parseaddr(draft["To"]), ("Bob", "bob@example.net"))
                    self.assertIn(f"> {question}\n\n“{quote}”\n(handbook/{source}", body(draft))
                self.assertEqual({one["kind"] for one in actions(daemon)}, {"draft"})
                # The mails are found as documents are, by what they say.
                found = daemon.ctl("memory", "search", "Mozart", "--entity", "post")["found"]
                self.assertEqual([one["key"] for one in found], ["mail:m9@example.net"])

    def test_moves_of_the_user_are_learned_and_then_made_though_the_daemon_is_killed(self):
        settings = 'mail_sink = "box"\ntriage_file = "@DIR@/learned/post.triage"\n'
        rule = '[[entity.post.comms.rule]]\nname = "junk"\nclass = ["spam"]\nmove = "Junk"\n'
        spam = "Cheap pills, winner! Claim your prize at once, unlimited casino credit, no prescription. Lot {}."
        good = "The minutes of our meeting about the bridge and its pillars are attached, please read page {}."
        with Dovecot() as server, self.world(server, "", settings) as world:
            world.write("learned/.keep", "")
            daemon = Daemon(world)
            wait_until("the mailbox is known", lambda: seen(world, "inbox", "f:%") == 3)
            with server.session() as mine:
                for number in range(8):
                    text = (spam if number % 2 else good).format(number)
                    server.deliver(mail(number, text, subject="prize" if number % 2 else "bridge"))
                    wait_until("it is told", lambda: len(daemon.ctl(
                        "events", "list", "--type", "mail.message")["events"]) == number + 1)
                    mine.noop()
                    mine.copy("1", "Junk" if number % 2 else "Archive")
                    mine.store("1", "+FLAGS", "\\Deleted")
                    mine.expunge()
                    if number == 3:
                        daemon.kill()
                        daemon = Daemon(world)

            def learned():
                shown = daemon.ctl("swarms", "list", "-n", "100")["swarms"]
                return [one for one in shown if one["title"].startswith("learn ")]
            wait_until("all moves are learned", lambda: len(learned()) == 8)
            daemon.settle()
            daemon.kill()
            world.configure(world.text + rule)
            with Daemon(world) as daemon:
                server.deliver(mail(20, spam.format(20), subject="prize"), mail(21, good.format(21), subject="bridge"))
                wait_until("it is put where it belongs", lambda: ("prize", set()) in server.subjects("Junk")[4:])
                daemon.settle()
                self.assertEqual([subject for subject, _ in server.subjects("INBOX")], ["bridge"])
                self.assertEqual(len(server.subjects("Junk")), 5)
                wait_until("our own move is told", lambda: len(daemon.ctl(
                    "events", "list", "--type", "mail.moved")["events"]) == 9)
                daemon.settle()
                self.assertEqual(len(learned()), 8)  # which teaches nothing


RULE = """
[[entity.post.comms.rule]]
name = "out"
subject = ["*order*"]
send = "Thank you, it is on its way."
forward = ["shop@example.com"]
"""


class Letters(unittest.TestCase):
    def world(self, server, settings):
        return World(DOOR + OUT + KEEPER.replace("@SOURCE@", "door"), settings, SMTP=server.port)

    def approve(self, daemon, kind):
        one, = [one for one in actions(daemon, kind) if one["state"] == "proposed"]
        daemon.ctl("actions", "approve", one["id"])

    def state(self, daemon, kind):
        return [one["state"] for one in actions(daemon, kind)]

    def test_what_is_sent_and_forwarded_waits_for_a_word_and_leaves_once_though_the_daemon_is_killed(self):
        with SmtpServer() as server, self.world(server, 'send_sink = "out"\n' + RULE) as world:
            with Daemon(world) as daemon:
                world.deliver(mail(1, "Two chairs, please.", subject="my order"))
                wait_until("it is proposed", lambda: len(actions(daemon)) == 2)
                self.assertEqual((self.state(daemon, "send"), self.state(daemon, "forward")), (["proposed"],) * 2)
                daemon.kill()
            self.assertEqual(server.taken, [])
            with Daemon(world) as daemon:
                self.assertEqual((self.state(daemon, "send"), self.state(daemon, "forward")), (["proposed"],) * 2)
                self.approve(daemon, "send")
                daemon.kill()  # before or after it has left: both must end well
            with Daemon(world) as daemon:
                wait_until("it is settled", lambda: self.state(daemon, "send")[0] in ("delivered", "unknown"))
                answers = [one for one in server.taken if one[1]["In-Reply-To"]]
                self.assertEqual(len(answers), 1 if self.state(daemon, "send") == ["delivered"] else len(answers))
                self.assertLessEqual(len(answers), 1)
                self.approve(daemon, "forward")
                wait_until("it has left", lambda: self.state(daemon, "forward") == ["delivered"])
                envelope, letter = server.taken[-1]
                self.assertEqual(envelope, [f"MAIL FROM:<{USER}>", "RCPT TO:<shop@example.com>"])
                self.assertEqual((letter["Subject"], letter["Auto-Submitted"]), ("Fwd: my order", "auto-generated"))
                self.assertIn("From: Bob <bob@example.net>", body(letter))
                self.assertIn("Two chairs, please.", body(letter))
            with Daemon(world) as daemon:
                daemon.settle()
                self.assertEqual(len([one for one in server.taken if not one[1]["In-Reply-To"]]), 1)

    def test_killed_where_nobody_knows_it_is_said_so_and_not_sent_again(self):
        with SmtpServer() as server, self.world(server, 'send_sink = "out"\n' + RULE) as world:
            with Daemon(world) as daemon:
                world.deliver(mail(1, "Two chairs, please.", subject="my order"))
                wait_until("it is proposed", lambda: len(actions(daemon)) == 2)
                server.open.clear()
                self.approve(daemon, "send")
                wait_until("the server has it", lambda: server.taken)
                daemon.kill()
            server.open.set()
            with Daemon(world) as daemon:
                wait_until("it is said", lambda: self.state(daemon, "send") == ["unknown"])
                daemon.settle()
                self.assertEqual(len(server.taken), 1)

    def test_its_own_letters_come_back_and_are_not_answered(self):
        everything = RULE.replace('subject = ["*order*"]\n', "").replace('forward = ["shop@example.com"]\n', "")
        with SmtpServer() as server, self.world(server, 'send_sink = "out"\n' + everything) as world, \
                Daemon(world) as daemon:
            world.deliver(mail(1, "Two chairs, please."))
            wait_until("it is proposed", lambda: self.state(daemon, "send") == ["proposed"])
            self.approve(daemon, "send")
            _, letter = wait_until("it has left", lambda: server.taken)[0]
            bare = email.message_from_bytes(letter.as_bytes())
            del bare["X-Vigil-Entity"], bare["Message-ID"]  # a relay that rewrites
            bare["Message-ID"], bare["X-Loop"] = "<other@relay.example>", "1"
            world.deliver(letter.as_bytes(), bare.as_bytes())
            del bare["From"]
            bare["From"] = "Eve <eve@example.net>"  # another program of the same kind
            bare.replace_header("Message-ID", "<third@relay.example>")
            world.deliver(bare.as_bytes())
            wait_until("they are heard", lambda: len(daemon.ctl(
                "events", "list", "--type", "mail.message")["events"]) == 4)
            daemon.settle()
            self.assertEqual(len(actions(daemon)), 1)
            self.assertEqual(len(server.taken), 1)


    def test_two_of_us_do_not_answer_each_other(self):
        everything = ('send_sink = "out"\n[[entity.post.comms.rule]]\nname = "out"\nsend = "Thank you."\n')
        config = DOOR + OUT + KEEPER.replace("@SOURCE@", "door")
        with SmtpServer() as server, self.world(server, everything) as ada, Daemon(ada) as of_ada, \
                World(config, everything, SMTP=server.port, USER="bob@example.net") as bob, Daemon(bob) as of_bob:
            ada.deliver(mail(1, "Two chairs, please."))
            wait_until("it is proposed", lambda: self.state(of_ada, "send") == ["proposed"])
            self.approve(of_ada, "send")
            envelope, letter = wait_until("it has left", lambda: server.taken)[0]
            self.assertEqual(envelope[1], "RCPT TO:<bob@example.net>")
            bob.deliver(letter.as_bytes())
            bob.deliver(mail(2, "And a table?", sender=f"Ada <{USER}>", to="bob@example.net"))  # a person's is answered
            wait_until("it is proposed", lambda: self.state(of_bob, "send") == ["proposed"])
            of_bob.settle()
            proposed, = actions(of_bob)
            self.assertEqual(of_bob.ctl("actions", "show", proposed["id"])["payload"]["in_reply_to"], "m2@example.net")


class Waiting(unittest.TestCase):
    def test_answers_and_promises_are_waited_for_over_restarts_and_told_once(self):
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        due = (now + datetime.timedelta(days=1)).replace(hour=15, minute=0, second=0)
        lead = int((due - now).total_seconds()) - 25
        settings = f'digest = []\nfollow_up_after = "20s"\npromise_before = "{lead}s"\n'
        with World(DOOR + KEEPER.replace("@SOURCE@", "door"), settings) as world:
            with Daemon(world) as daemon:
                world.deliver(
                    mail(1, "Can you send me the plan?", sender=USER, to="bob@example.net", subject="plan", date=now),
                    mail(2, "Can you come?", sender=USER, to="eve@example.net", subject="visit", date=now),
                    mail(3, "I'll send it tomorrow at 15:00.", sender=USER, to="carol@example.net", answers=77, date=now))
                wait_until("they are heard", lambda: len(daemon.ctl("timers", "list")["timers"]) >= 3)
                daemon.settle()
                daemon.kill()
            with Daemon(world) as daemon:
                world.deliver(mail(4, "Yes, gladly.", sender="eve@example.net", answers=2))
                wait_until("both are told", lambda: told(world, "follow_up") and told(world, "promise"))
                daemon.kill()
            with Daemon(world) as daemon:
                daemon.settle()
                self.assertEqual(told(world, "follow_up"), ["no answer of bob@example.net for 0 days: plan"])
                promise, = told(world, "promise")
                self.assertTrue(promise.startswith(f"due {due:%a %-d %b} 15:00: I'll send it"), promise)

    def test_at_night_nothing_is_told_until_the_digest_which_comes_once(self):
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=75)
        settings = f'quiet_hours = "00:00-23:59"\ntell_at_once = "everything"\ndigest = ["{at:%H:%M}"]\n'
        with World(DOOR + KEEPER.replace("@SOURCE@", "door"), settings) as world:
            with Daemon(world) as daemon:
                world.deliver(mail(1, "Is it done?", sender=USER, to="x@example.net"))
                world.deliver(mail(2, "It could not be delivered.", sender="MAILER-DAEMON@example.net", answers=1,
                                   Auto_Submitted="auto-replied", Content_Type="text/plain", Return_Path="<>"))
                daemon.settle()
                self.assertEqual(told(world), [])
                daemon.kill()
            with Daemon(world) as daemon:
                wait_until("the digest is told", lambda: told(world, "digest"), 200)
                daemon.kill()
            with Daemon(world) as daemon:
                daemon.settle()
                self.assertEqual(len(told(world, "digest")), 1)
                self.assertEqual(told(world), told(world, "digest"))


if __name__ == "__main__":
    unittest.main()
