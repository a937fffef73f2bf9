#!/usr/bin/env python3
"""What the machine takes away, and what clients and children do on purpose: descriptors, memory, room on the disk,
thousands of slow senders, children that do not want to die. Real programs; each prints a line with its figures.

VIGIL_SLOW_SENDERS sets how many there are (1,000; the figure of docs/figures.md is of 10,000).
"""
import http.client
import json
import os
import pathlib
import re
import resource
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from vigild import BIN, SOURCE, Daemon, Place, signature, wait_until  # noqa: E402

MARK = f"vigild-faults-{os.getpid()}"

CONFIG = """
[daemon]
drain_timeout = "2s"
safe_mode_starts = 0
[http]
listen = ["127.0.0.1:0"]
@HTTP@
[source.github]
kind = "webhook"
scheme = "github"
secrets = ["file:@DIR@/secret"]
[source.clock]
kind = "schedule"
every = "1s"
[entity.keeper]
kind = "rules"
autonomy = "act"
case_key = "{{event.data.case}}"
[[entity.keeper.on]]
source = "github"
[[entity.keeper.rule]]
name = "keep"
remember = "kept {{event.data.serial}}"
[entity.ticker]
kind = "rules"
[[entity.ticker.on]]
source = "clock"
[[entity.ticker.rule]]
name = "tick"
remember = "tick"
"""


def configured(http_keys="", more=""):
    return CONFIG.replace("@HTTP@", http_keys) + more


def told(**figures):
    print(json.dumps(figures), flush=True)


def memory_of(pid, key="VmRSS"):
    return int(re.search(key + r":\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


def processor_time_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_sanitized(pid):
    return memory_of(pid, "VmSize") > 1 << 40


def payload(serial, more=""):
    return json.dumps({"serial": serial, "case": serial % 7, "more": more}).encode()


def post(connection, serial, more=""):
    """The status of one delivery on an open connection."""
    body = payload(serial, more)
    connection.request("POST", "/hooks/github", body, {
        "Content-Type": "application/json", "X-GitHub-Event": "ping", "X-GitHub-Delivery": f"d-{serial}",
        "X-Hub-Signature-256": signature(body)})
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.getheader("Retry-After")


def open_connection(daemon):
    return http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)


def post_anew(daemon, serial, more=""):
    """The same on a connection of its own."""
    connection = open_connection(daemon)
    try:
        return post(connection, serial, more)
    finally:
        connection.close()


def remembered(daemon):
    """The serials of all events that the entity has remembered."""
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(daemon.place.state / "admin.sock"))
    connection.request("GET", "/v1/memory/keeper/export")
    lines = connection.getresponse().read().decode()
    connection.close()
    return {int(serial) for serial in re.findall(r'"kept (\d+)"', lines)}


class Descriptors(unittest.TestCase):
    def test_without_descriptors_nobody_is_lost_nothing_spins_and_all_goes_on_afterwards(self):
        with Place(configured()) as place, Daemon(place, wrapper=("prlimit", "--nofile=64:64")) as daemon:
            self.crowd_out(daemon)

    def crowd_out(self, daemon):
        known = open_connection(daemon)
        # All kinds of work first: what a decision opens is open then. (UBSan looks at an object of a kind that is new
        # to it through a pipe, and where it cannot have one it calls the object a false one.)
        wait_until("the schedule fires", lambda: daemon.ctl("status")["runtime"]["decisions"] > 1)
        for serial in range(2000, 2040):
            self.assertEqual(post(known, serial)[0], 202)
        daemon.settle()
        self.assertEqual(post(known, 1)[0], 202)
        crowd = []
        for _ in range(200):
            one = socket.socket()
            one.connect(("127.0.0.1", daemon.port))
            one.sendall(b"POST /hooks/github HTTP/1.1\r\n")
            crowd.append(one)
        wait_until("it says so", lambda: daemon.said("no connection can be accepted"))
        before, since = processor_time_of(daemon.process.pid), time.monotonic()
        accepted = 1
        while time.monotonic() < since + 3:  # who is connected is served all the same
            accepted += 1
            self.assertEqual(post(known, accepted)[0], 202)
            time.sleep(0.2)
        busy = (processor_time_of(daemon.process.pid) - before) / (time.monotonic() - since)
        self.assertLess(busy, 0.5, "it spins")
        for one in crowd:
            one.close()
        wait_until("a new connection is served", lambda: post_anew(daemon, 1000)[0] in (200, 202))
        daemon.settle()
        self.assertLessEqual(set(range(1, accepted + 1)) | {1000}, remembered(daemon))
        ticks = daemon.ctl("status")["runtime"]["decisions"]
        wait_until("the schedule still fires", lambda: daemon.ctl("status")["runtime"]["decisions"] > ticks)
        known.close()
        told(fault="descriptors", limit=64, clients=200, accepted_meanwhile=accepted, lost=0,
             processor_share=round(busy, 3))


def plain_programs():
    """Where a build without a sanitizer is: one that is takes no limit of address space. None: nowhere."""
    given = os.environ.get("VIGIL_PLAIN_BIN_DIR")
    for place in [pathlib.Path(given).resolve()] if given else [BIN, SOURCE / "build/release/bin"]:
        program = place / "vigild"
        if program.exists() and b"__asan_init" not in (text := program.read_bytes()) and b"__tsan_init" not in text:
            return place
    return None


class Memory(unittest.TestCase):
    """Bodies from many sides with little more address space than the daemon has: refused, or its end; never lost."""

    def test_within_a_limit_of_memory_what_is_acknowledged_is_kept(self):
        programs = plain_programs()
        if programs is None:
            self.skipTest("skipped: this needs a build without a sanitizer, in build/release/bin or VIGIL_PLAIN_BIN_DIR")
        for room_mb, body_kb, each in ((96, 20 << 10, 6), (48, 4 << 10, 20), (24, 256, 60), (8, 64, 100), (4, 16, 100)):
            with self.subTest(room_mb=room_mb):
                self.within(programs, room_mb, body_kb, each)

    def within(self, programs, room_mb, body_kb, each):
        with Place(configured('body_bytes_max = "24MiB"')) as place:
            daemon = Daemon(place, programs=programs)
            pid = daemon.process.pid
            _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
            resource.prlimit(pid, resource.RLIMIT_AS, (memory_of(pid, "VmSize") + (room_mb << 20), hard))
            acknowledged, statuses = self.press(daemon, body_kb, each)
            survived = not daemon.ended()
            if survived:  # and with room again it goes on by itself
                resource.prlimit(pid, resource.RLIMIT_AS, (hard, hard))
                self.assertEqual(post_anew(daemon, 5000)[0], 202)
                acknowledged.append(5000)
                daemon.settle()
                self.assertEqual(set(acknowledged) - remembered(daemon), set())
                daemon.kill()
            else:
                self.assertNotEqual(daemon.stop(), 0)
            with Daemon(place, programs=programs) as daemon:
                daemon.settle()
                lost = set(acknowledged) - remembered(daemon)
            told(fault="memory", room_mb=room_mb, body_kb=body_kb, sent=len(statuses), acknowledged=len(acknowledged),
                 lost=len(lost), refused=sum(status in (500, 503) for status in statuses), cut=statuses.count(0),
                 survived=survived)
            self.assertEqual(lost, set())
            self.assertGreater(len(statuses) - statuses.count(202), 0, "there was room enough for all")

    @staticmethod
    def press(daemon, body_kb, each):
        acknowledged, statuses, lock = [], [], threading.Lock()

        def send(first):
            for serial in range(first, first + each):
                try:
                    status, _ = post_anew(daemon, serial, os.urandom(body_kb << 9).hex())
                except (OSError, http.client.HTTPException):
                    status = 0
                with lock:
                    statuses.append(status)
                    if status == 202:
                        acknowledged.append(serial)
        threads = [threading.Thread(target=send, args=(200 * number,)) for number in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return acknowledged, statuses


class Room(unittest.TestCase):
    """A disk that fills up under load, again and again, and is given room again."""

    def setUp(self):
        self.place = Place(configured(more='[storage]\nfree_bytes_min = "1MiB"\nballast_bytes = "1MiB"\n'))
        self.place.state.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(self.place.state)],
                              capture_output=True)
        if done.returncode != 0:
            self.skipTest("skipped: this machine does not let us mount")

    def tearDown(self):
        subprocess.run(["umount", "-l", str(self.place.state)], check=False, capture_output=True)

    def test_a_disk_that_fills_again_and_again_loses_nothing_and_each_time_recovers(self):
        place, acknowledged, refused, rounds = self.place, [], 0, 5
        filler = place.state / "filler"
        with Daemon(place) as daemon:
            serial = 0
            for round_number in range(rounds):
                for _ in range(40):
                    serial += 1
                    self.assertEqual(post_anew(daemon, serial)[0], 202)
                    acknowledged.append(serial)
                with open(filler, "wb", buffering=0) as file:
                    try:
                        while True:
                            file.write(b"\0" * (1 << 16))
                    except OSError:
                        pass
                refused_here = 0
                while refused_here < 10:
                    serial += 1
                    status, retry_after = post_anew(daemon, serial, os.urandom(20_000).hex())
                    if status == 202:
                        acknowledged.append(serial)
                    else:
                        self.assertEqual(status, 503)
                        self.assertTrue(retry_after)
                        refused_here += 1
                refused += refused_here
                self.assertEqual(daemon.ctl("status")["pid"], daemon.process.pid)  # reading and asking go on
                filler.unlink()

                def taken():
                    nonlocal serial
                    serial += 1
                    if post_anew(daemon, serial)[0] == 202:
                        acknowledged.append(serial)
                        return True
                    return False
                wait_until(f"it recovers for the {round_number + 1}th time", taken)
            daemon.settle()
            daemon.kill()  # and nothing of it was only in memory
            with Daemon(place) as again:
                again.settle()
                lost = set(acknowledged) - remembered(again)
            self.assertEqual(lost, set())
        told(fault="disk full", rounds=rounds, acknowledged=len(acknowledged), refused=refused, lost=0)


class SlowSenders(unittest.TestCase):
    MANY = int(os.environ.get("VIGIL_SLOW_SENDERS", 1000))

    def test_thousands_that_send_a_byte_now_and_then_keep_nobody_from_being_served(self):
        many = self.MANY
        need = many + 200
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < need:
            self.skipTest(f"skipped: {many} connections need more descriptors than the {hard} there may be")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, need), hard))
        patience = 60 + many // 50  # seconds; enough for a busy machine to connect them all
        keys = f'connections_max = {many + 100}\nhead_timeout = "{patience}s"'
        with Place(configured(keys)) as place, Daemon(place) as daemon:
            pid = daemon.process.pid
            honest = open_connection(daemon)
            self.assertEqual(post(honest, 1)[0], 202)
            before = memory_of(pid)
            crowd = [self.slow(daemon, number) for number in range(many)]
            connections = lambda: int(re.search(r"^vigild_http_connections\S* (\d+)", daemon.ctl_text("metrics"), re.M).group(1))  # noqa: E731
            wait_until("all are connected", lambda: connections() > many, patience)
            each = (memory_of(pid) - before) / many
            took = []
            for serial in range(2, 102):
                for one in crowd[serial % 50::50]:
                    one.send(b"x")
                since = time.monotonic()
                self.assertEqual(post(honest, serial)[0], 202)
                took.append(time.monotonic() - since)
            newcomer = open_connection(daemon)
            self.assertEqual(post(newcomer, 500)[0], 202)
            late = self.evicted(crowd, 3 * patience)
            self.assertEqual(late, many)
            honest.close()
            newcomer.close()
            wait_until("nobody is left", lambda: connections() == 0)
            daemon.settle()
            self.assertLessEqual(set(range(1, 102)) | {500}, remembered(daemon))
            took.sort()
            told(fault="slow senders", connections=many, bytes_each=round(each), sanitized=is_sanitized(pid),
                 honest_p50_ms=round(statistics.median(took) * 1e3, 2), honest_p99_ms=round(took[98] * 1e3, 2),
                 evicted=late)

    @staticmethod
    def slow(daemon, number):
        one = socket.socket()
        one.bind((f"127.0.{1 + number // 60}.1", 0))  # from many addresses: they are no one client
        one.connect(("127.0.0.1", daemon.port))
        one.sendall(b"POST /hooks/github HTTP/1.1\r\nX-Slow: ")
        return one

    @staticmethod
    def evicted(crowd, patience):
        """How many are told 408, or cut."""
        gone, until = 0, time.monotonic() + patience
        with selectors.DefaultSelector() as waiting:
            for one in crowd:
                waiting.register(one, selectors.EVENT_READ)
            while gone < len(crowd) and time.monotonic() < until:
                for key, _ in waiting.select(1):
                    try:
                        said = key.fileobj.recv(4096)
                    except OSError:
                        said = b""
                    if said and b" 408 " not in said:
                        raise AssertionError(said)
                    waiting.unregister(key.fileobj)
                    key.fileobj.close()
                    gone += 1
        return gone


STUBBORN = {
    "ignores-term": "trap '' TERM INT HUP; while :; do sleep 1; done # MARK",
    "stops-itself": "kill -STOP $$ # MARK",
    "a-daemon-of-its-own": "(setsid sh -c 'trap \"\" TERM; sleep 600 # MARK' >/dev/null 2>&1 3>&- &) ; sleep 600 # MARK",
    "forks-all-the-time": "while :; do sh -c 'trap \"\" TERM; sleep 600 # MARK' & sleep 0.2; done",
    # Who waits for a vfork is in state D; only a fatal signal gets it out.
    "waits-in-the-kernel": "exec python3 -c 'import ctypes, signal, time  # MARK\n"
                           "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                           "libc = ctypes.CDLL(None)\n"
                           "if libc.vfork() == 0: libc.sleep(600)'",
}


def left():
    return subprocess.run(["pgrep", "-f", MARK], capture_output=True, text=True).stdout.split()


class Stubborn(unittest.TestCase):
    PLAN = {"title": "stubborn", "timeout": "1h", "on_failure": "continue", "tasks": [
        {"name": name, "containment": "none", "timeout": "2s", "argv": ["/bin/sh", "-c", text.replace("MARK", MARK)]}
        for name, text in STUBBORN.items()]}
    ENTITY = '[entity.worker]\nkind = "rules"\n[[entity.worker.on]]\nsource = "admin"\n' \
             '[[entity.worker.rule]]\nname = "hear"\nremember = "heard"\n'

    def start(self, place, daemon, timeout):
        plan = dict(self.PLAN, tasks=[dict(task, timeout=timeout) for task in self.PLAN["tasks"]])
        file = place.write("plan.json", json.dumps(plan))
        return daemon.ctl("swarms", "run", file, "--entity", "worker")["id"]

    def test_children_that_do_not_want_to_die_are_gone_after_their_time(self):
        with Place(configured(more=self.ENTITY)) as place, Daemon(place) as daemon:
            swarm = self.start(place, daemon, "2s")
            wait_until("all run", lambda: len(left()) >= len(STUBBORN))
            daemon.settle()
            ended = {task["name"]: task["error"] for task in daemon.ctl("swarms", "show", swarm)["tasks"]}
            self.assertEqual(set(ended), set(STUBBORN))
            for name, error in ended.items():
                self.assertIn("deadline", error, name)
            wait_until("none is left", lambda: not left(), 10)
            told(fault="stubborn children", kinds=len(STUBBORN), left_after_their_time=0)

    def test_nor_when_the_swarm_is_cancelled_or_the_daemon_stops_or_is_killed(self):
        for end in ("cancel", "stop", "kill"):
            with self.subTest(end=end), Place(configured(more=self.ENTITY)) as place:
                daemon = Daemon(place)
                swarm = self.start(place, daemon, "10m")
                wait_until("all run", lambda: len(left()) >= len(STUBBORN))
                if end == "cancel":
                    daemon.ctl("swarms", "cancel", swarm)
                    daemon.settle()
                    wait_until("none is left", lambda: not left(), 10)
                if end == "kill":
                    daemon.kill()
                else:
                    self.assertEqual(daemon.stop(), 0)
                # One that made a session of its own is found when the daemon is back.
                if end == "kill" and left():
                    with Daemon(place) as again:
                        again.ctl("swarms", "cancel", swarm)
                        again.settle()
                wait_until("none is left", lambda: not left(), 10)
                told(fault="stubborn children", end=end, left=0)

    def tearDown(self):
        for pid in left():
            os.kill(int(pid), signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
