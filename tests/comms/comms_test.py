#!/usr/bin/env python3
"""Somebody's post end to end: promises and answers that are waited for, moves that are learned; the daemon killed in the
middle of each."""
import datetime
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from comms_world import ACCOUNT, DOOR, KEEPER, World, mail  # noqa: E402
from dovecot import PASSWORD, USER, Dovecot, present  # noqa: E402
from vigild import Daemon, seen, wait_until  # noqa: E402

def told(world, what=None):
    """Texts that the desk was told."""
    file = world.path / "desk.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    lines = [one.get("payload", one) for one in lines]
    return [one["text"] for one in lines if what in (None, one["what"])]


@unittest.skipIf(present(), present())
class Account(unittest.TestCase):
    def world(self, server, config, settings):
        world = World(ACCOUNT + config + KEEPER.replace("@SOURCE@", "inbox"), settings, IMAPS=server.imaps_port,
                      CA=server.path / "certificate.pem")
        world.write("imap", PASSWORD)
        return world

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
