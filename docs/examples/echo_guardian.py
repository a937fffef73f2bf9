#!/usr/bin/env python3
"""A whole entity of kind "process": counts what it hears per case, and says what it was asked.

One JSON object a line in, one a line out. Try it by hand:
    echo '{"id":1,"wake":{"kind":"event","case":"x","events":[{"type":"a.b"}]},"memory":{}}' | ./echo_guardian.py
"""
import json
import sys


def on_events(events, state):
    heard = state.get("heard", 0) + len(events)
    types = ", ".join(event.get("type", "?") for event in events)
    return {"verdict": "noted", "why": f"heard {types}; {heard} so far in this case",
            "state": {**state, "heard": heard},
            "episodes": [{"kind": "echo", "text": f"heard {types}"}]}


def decide(wake, memory):
    state = memory.get("state", {})
    if wake["kind"] == "event":
        return on_events(wake["events"], state)
    if wake["kind"] == "swarm":
        ended = "did its work" if wake["report"]["ok"] else "failed"
        return {"verdict": "noted", "why": f"the swarm {wake['report']['title']} {ended}"}
    return {"verdict": "ignored", "why": f"nothing follows from a wake of kind {wake['kind']}"}


def main():
    for line in sys.stdin:
        question = json.loads(line)
        answer = decide(question["wake"], question.get("memory", {}))
        print(json.dumps({"id": question["id"], **answer}), flush=True)


if __name__ == "__main__":
    main()
