#!/usr/bin/env python3
"""Calendars on a real CalDAV server: events that are made, changed and called off while the daemon is killed, and the
brief of a meeting by the zone it was made for."""
import datetime
import json
import pathlib
import sys
import time
import unittest
import zoneinfo

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from radicale import PASSWORD, USER, Radicale, present  # noqa: E402
from vigild import Daemon, Place, seen, wait_until  # noqa: E402

CONFIG = """
[daemon]
safe_mode_starts = 0  # it is killed on purpose, often
drain_timeout = "2s"
[http]
listen = ["127.0.0.1:0"]
[swarm]
memory_bytes_max = 100_000_000_000_000  # sanitizers map terabytes
[source.diary]
kind = "calendar"
form = "caldav"
url = "@URL@"
user = "@USER@"
password = "file:@DIR@/dav"
tz = "Europe/Berlin"
soon = []
every = "1s"
"""
KEEPER = """
[sink.desk]
kind = "file"
path = "@DIR@/desk.jsonl"
[entity.post]
kind = "comms"
autonomy = "act"
[[entity.post.on]]
source = "diary"
[entity.post.comms]
addresses = ["ada@example.org"]
tz = "Europe/Berlin"
report_sink = "desk"
brief_before = "@LEAD@"
"""
ZONE = """BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:STANDARD
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
END:VTIMEZONE
"""
NEW_YORK, BERLIN = zoneinfo.ZoneInfo("America/New_York"), zoneinfo.ZoneInfo("Europe/Berlin")


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def event(uid, begins, summary, more=""):
    """In New York, half an hour long."""
    def local(moment):
        return moment.astimezone(NEW_YORK).strftime("%Y%m%dT%H%M%S")
    text = f"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
{ZONE}BEGIN:VEVENT
UID:{uid}
DTSTAMP:20240101T000000Z
DTSTART;TZID=America/New_York:{local(begins)}
DTEND;TZID=America/New_York:{local(begins + datetime.timedelta(minutes=30))}
SUMMARY:{summary}
{more}END:VEVENT
END:VCALENDAR
"""
    return text.replace("\n", "\r\n")


class World(Place):
    def __init__(self, server, lead=None):
        config = CONFIG + (KEEPER.replace("@LEAD@", lead) if lead else "")
        super().__init__(config.replace("@URL@", server.url).replace("@USER@", USER))
        self.write("dav", PASSWORD)

    def briefs(self):
        file = self.path / "desk.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def has_looked(world):
    """The calendar is known: what comes from now on is news."""
    wait_until("the calendar was looked at", lambda: seen(world, "diary"))


def changes(daemon):
    """Oldest first: what happened, and to which event."""
    listed = daemon.ctl("events", "list", "--type", "calendar.changed", "-n", "500")["events"]
    shown = [daemon.ctl("events", "show", one["id"])["data"] for one in reversed(listed)]
    return [(one["change"], one["event"]["uid"]) for one in shown]


@unittest.skipIf(present(), present())
class CalDav(unittest.TestCase):
    def test_made_changed_and_called_off_once_each_though_daemon_and_server_are_killed(self):
        with Radicale() as server, World(server) as world:
            server.put("old", event("old", now() + datetime.timedelta(hours=3), "was there"))
            with Daemon(world):
                has_looked(world)
            wanted = []
            later = now() + datetime.timedelta(hours=5)
            for round_ in range(3):
                daemon = Daemon(world)
                names = [f"e{round_}{i}" for i in range(4)]
                for name in names:
                    server.put(name, event(name, later, "made"))
                wanted += [("added", name) for name in names]
                wait_until("they are told", lambda: set(wanted) <= set(changes(daemon)))
                server.put(f"late{round_}", event(f"late{round_}", later, "made"))
                wanted.append(("added", f"late{round_}"))
                time.sleep(0.5 * round_)  # before, while or after it is looked at
                daemon.kill()
                server.put(names[0], event(names[0], later + datetime.timedelta(hours=1), "made"))
                server.put(names[1], event(names[1], later, "made anew"))
                server.delete(names[2])
            server.stop()
            with Daemon(world) as daemon:
                wait_until("it is said", lambda: daemon.said("a calendar cannot be read"))
                server.start()
                settled = wanted + [(change, f"e{round_}{i}") for round_ in range(3)
                                    for i, change in enumerate(("moved", "changed", "cancelled"))]
                wait_until("all is told", lambda: len(changes(daemon)) >= len(settled))
                daemon.settle()
                self.assertEqual(sorted(changes(daemon)), sorted(settled))
                self.assertNotIn(PASSWORD, daemon.log())

    def test_a_meeting_is_prepared_once_by_its_own_zone_though_the_daemon_is_killed(self):
        lead = datetime.timedelta(minutes=50)
        with Radicale() as server, World(server, "50m") as world:
            with Daemon(world) as daemon:
                has_looked(world)
                begins = now() + lead + datetime.timedelta(seconds=30)
                server.put("talk", event("talk", begins, "Budget talk", "LOCATION:Room 2\nORGANIZER;CN=Bob:mailto:"
                                         "bob@example.net\nATTENDEE:mailto:ada@example.org\n"))
                wait_until("it is heard of", lambda: changes(daemon) == [("added", "talk")])
                daemon.settle()
                daemon.kill()
            self.assertEqual(world.briefs(), [])
            with Daemon(world) as daemon:
                brief, = wait_until("it is prepared", world.briefs)
                self.assertGreaterEqual(now(), begins - lead)
                text = brief["payload"]["text"] if "payload" in brief else brief["text"]
                here = begins.astimezone(BERLIN).strftime("%a %-d %b %H:%M")
                there = begins.astimezone(NEW_YORK).strftime("%H:%M America/New_York")
                self.assertEqual(text, f"Budget talk at {here} ({there}), Room 2\n- Bob <bob@example.net>\n")
                daemon.kill()
            with Daemon(world) as daemon:  # it was given; a moved one is prepared anew
                daemon.settle()
                self.assertEqual(len(world.briefs()), 1)
                moved = now() + lead + datetime.timedelta(seconds=6)
                server.put("talk", event("talk", moved, "Budget talk"))
                wait_until("it is prepared anew", lambda: len(world.briefs()) == 2)
                server.put("gone", event("gone", now() + lead + datetime.timedelta(minutes=2), "Called off"))
                wait_until("it is heard of", lambda: ("added", "gone") in changes(daemon))
                server.delete("gone")
                wait_until("it is called off", lambda: ("cancelled", "gone") in changes(daemon))
                daemon.settle()
                self.assertNotIn("brief", [one["name"] for one in daemon.ctl("timers", "list")["timers"]])
                self.assertEqual(len(world.briefs()), 2)


if __name__ == "__main__":
    unittest.main()
