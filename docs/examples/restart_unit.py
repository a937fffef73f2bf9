#!/usr/bin/env python3
"""A command sink that acts for a runbook of an ops entity: restarts the unit it is given.

Reads one line of JSON with {"runbook", "step", "arguments": {"unit": "web.service"}} on standard
input. The guardian has checked the argument already; this checks it once more, as it runs with the
rights of the daemon. Ends with 0 when the service manager took it, 64 when it makes no sense.
"""
import json
import re
import subprocess
import sys

ALLOWED = re.compile(r"(web|api)\.service")


def main():
    asked = json.loads(sys.stdin.readline())
    unit = asked.get("arguments", {}).get("unit", "")
    if not ALLOWED.fullmatch(unit):
        print(f"this may not be restarted: {unit!r}", file=sys.stderr)
        return 64
    return subprocess.run(["systemctl", "restart", "--", unit], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
