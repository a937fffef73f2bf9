#!/usr/bin/env python3
"""What accounts do that is rare: a mailbox whose messages get other numbers, access tokens that run out, what a person does
in a thread."""
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from comms_world import ACCOUNT, KEEPER, World, mail  # noqa: E402
from dovecot import PASSWORD, USER, Dovecot, present  # noqa: E402
from stand_in import StandIn  # noqa: E402
from vigild import Daemon, seen, wait_until  # noqa: E402

OAUTH = """
auth_mechanisms = plain login xoauth2
passdb {
  driver = oauth2
  mechanisms = xoauth2
  args = @DIR@/oauth2.conf
}
"""


def told(daemon, kind="mail.message"):
    """Ids of the messages, oldest first."""
    listed = daemon.ctl("events", "list", "--type", kind, "-n", "500")["events"]
    return [one["subject"] for one in reversed(listed)]


def account(server, config=ACCOUNT, settings=""):
    world = World(config + KEEPER.replace("@SOURCE@", "inbox"), settings, IMAPS=server.imaps_port,
                  CA=server.path / "certificate.pem")
    world.write("imap", PASSWORD)
    return world


def has_looked(world):
    wait_until("the mailbox was looked at", lambda: seen(world, "inbox", "f:%") == 3)


@unittest.skipIf(present(), present())
class Account(unittest.TestCase):
    def test_a_mailbox_that_is_numbered_anew_tells_nothing_twice_and_loses_nothing(self):
        with Dovecot() as server, account(server) as world:
            server.deliver(mail(1, "one"), mail(2, "two"))

            def validity():
                with server.session() as mine:
                    return mine.status("INBOX", "(UIDVALIDITY)")[1][0].split()[-1]
            with Daemon(world) as daemon:
                has_looked(world)
                server.deliver(mail(3, "three"))
                wait_until("it is told", lambda: told(daemon) == ["m3@example.net"])
                before = validity()
                daemon.kill()
            server.stop()
            server.renumber()
            time.sleep(1.1)  # dovecot makes the number of the second
            server.start()
            server.deliver(mail(4, "four"))
            self.assertNotEqual(before, validity())
            with Daemon(world) as daemon:
                wait_until("what came meanwhile is told", lambda: "m4@example.net" in told(daemon))
                server.deliver(mail(5, "five"))
                wait_until("what comes is told", lambda: "m5@example.net" in told(daemon))
                self.assertEqual(told(daemon), [f"m{n}@example.net" for n in (3, 4, 5)])
                self.assertEqual(told(daemon, "mail.gone") + told(daemon, "mail.moved"), [])

    def test_a_token_is_read_at_each_login_and_a_stale_one_is_said_to_be_so(self):
        valid = "first-token-that-nobody-logs"

        def check(_, path, query, body):
            if query.get("access_token") != valid:
                return 401, {"error": "invalid_token"}
            return 200, {"email": USER, "username": USER}
        with StandIn(check) as service, Dovecot(extra=OAUTH) as server:
            (server.path / "oauth2.conf").write_text(
                f"tokeninfo_url = {service.url}/tokeninfo?access_token=\nusername_attribute = email\n")
            server.stop()
            server.start()
            config = ACCOUNT.replace('password = "file:@DIR@/imap"', 'token = "file:@DIR@/token"')
            with account(server, config) as world:
                world.write("token", valid)
                with Daemon(world) as daemon:
                    has_looked(world)
                    server.deliver(mail(1, "one"))
                    wait_until("it is told", lambda: told(daemon) == ["m1@example.net"])
                    valid = "second-token-that-nobody-logs"
                    server.stop()
                    server.start()
                    server.deliver(mail(2, "two"))
                    wait_until("it is said", lambda: daemon.said("an account cannot be read"))
                    world.write("token", valid)
                    wait_until("it goes on", lambda: told(daemon) == ["m1@example.net", "m2@example.net"])
                    self.assertNotIn("token-that-nobody-logs", daemon.log())

    def test_moves_and_flags_of_an_answer_land_in_the_case_of_its_thread(self):
        with Dovecot() as server, account(server) as world, Daemon(world) as daemon:
            has_looked(world)
            server.deliver(mail(1, "Can you come?"), mail(2, "Or later?", answers=1))
            wait_until("both are told", lambda: len(told(daemon)) == 2)
            with server.session() as mine:
                mine.store("2", "+FLAGS", "\\Answered")
                wait_until("the flag is told", lambda: told(daemon, "mail.flagged"))
                mine.copy("2", "Archive")
                mine.store("2", "+FLAGS", "\\Deleted")
                mine.expunge()
                wait_until("the move is told", lambda: told(daemon, "mail.moved"))
            with server.session("Archive") as mine:
                mine.store("1", "+FLAGS", "\\Deleted")
                mine.expunge()
            wait_until("it is gone", lambda: told(daemon, "mail.gone"))
            daemon.settle()
            cases = [one["key"] for one in daemon.ctl("cases", "list")["cases"] if one["key"].startswith("mail:")]
            self.assertEqual(cases, ["mail:m1@example.net"])
            self.assertNotIn("answer", [one["name"] for one in daemon.ctl("timers", "list")["timers"]])


if __name__ == "__main__":
    unittest.main()
