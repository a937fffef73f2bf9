"""Posts to a webhook door for some seconds, each request on a connection of its own; prints a JSON
line: how many were answered with 2xx, the delivery ids of those, and what happened to the others.

Usage: load.py PORT SECONDS THREADS SECRET
"""
import hashlib
import hmac
import http.client
import json
import sys
import threading
import time
import uuid

port, seconds, threads, secret = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4].encode()
until = time.monotonic() + seconds
taken, trouble, slowest = [], [], [0.0]


def post():
    name = str(uuid.uuid4())
    body = json.dumps({"subject": "load", "n": name}).encode()
    signature = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    begun = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/hooks/notes", body,
                           {"Content-Type": "application/json", "X-Signature": signature, "X-Delivery": name})
        answer = connection.getresponse()
        answer.read()
        (taken if answer.status in (200, 202) else trouble).append(name if answer.status in (200, 202)
                                                                   else f"status {answer.status}")
    except OSError as error:
        trouble.append(f"{type(error).__name__}: {error}")
    except http.client.HTTPException as error:
        trouble.append(f"{type(error).__name__}: {error}")
    finally:
        slowest[0] = max(slowest[0], time.monotonic() - begun)
        connection.close()


def run():
    while time.monotonic() < until:
        post()


crew = [threading.Thread(target=run) for _ in range(threads)]
for one in crew:
    one.start()
for one in crew:
    one.join()
print(json.dumps({"taken": taken, "trouble": trouble, "slowest_s": round(slowest[0], 3)}))
