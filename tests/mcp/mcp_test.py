#!/usr/bin/env python3
"""The Model Context Protocol with the programs of others: its official client asks the entities, and a model uses the tools
of a server that its authors wrote to try clients with."""
import json
import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))
sys.path.insert(0, str(HERE.parent / "support"))
from models_test import World  # noqa: E402
from npm import installed  # noqa: E402
from vigild import BIN, wait_until  # noqa: E402

PACKAGES = {"@modelcontextprotocol/sdk": "1.32.2", "@modelcontextprotocol/server-everything": "2026.8.31"}


class Protocol(unittest.TestCase):
    def setUp(self):
        self.programs = installed("mcp", PACKAGES)

    def ask(self, world, *calls):
        """What the official client got from `vigilctl mcp`."""
        script = self.programs.parent / "client.mjs"  # beside the packages it names
        shutil.copy(HERE / "client.mjs", script)
        server = [str(BIN / "vigilctl"), "--socket", str(world.place.state / "admin.sock"), "mcp"]
        done = subprocess.run(["node", str(script), json.dumps(server), json.dumps(calls)], capture_output=True, text=True,
                              timeout=120, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_the_official_client_asks_the_entities(self):
        with World(lambda _: {"text": {"about": "printers"}}) as world:
            event = world.note("the printer is on fire")
            world.settle()
            proposed = world.daemon.ctl("actions", "list", "--state", "proposed")["actions"][0]["id"]
            told = self.ask(
                world, {"name": "status", "arguments": {}}, {"name": "entities", "arguments": {}},
                {"name": "events", "arguments": {"limit": 5}}, {"name": "explain", "arguments": {"event": event}},
                {"name": "proposals", "arguments": {}}, {"name": "action", "arguments": {"action": proposed}},
                {"name": "explain", "arguments": {"event": 4711}}, {"name": "explain", "arguments": {}},
                {"name": "approve", "arguments": {"action": proposed}})
            self.assertEqual(told["server"]["name"], "vigild")
            self.assertIn("strangers", told["instructions"])
            names = {tool["name"] for tool in told["tools"]}
            self.assertLessEqual({"status", "entities", "events", "explain", "search", "memory", "proposals"}, names)
            self.assertTrue(all(tool["annotations"]["readOnlyHint"] for tool in told["tools"]))
            status, entities, events, explained, proposals, action, unknown, nothing, approve = told["answers"]
            self.assertEqual(status["structuredContent"]["runtime"]["entities"], 1)
            self.assertEqual([one["name"] for one in entities["structuredContent"]["entities"]], ["sorter"])
            self.assertIn(event, [one["id"] for one in events["structuredContent"]["events"]])
            self.assertIn("sort", json.dumps(explained["structuredContent"]))
            self.assertEqual([one["id"] for one in proposals["structuredContent"]["actions"]], [proposed])
            self.assertEqual(action["structuredContent"]["id"], proposed)
            self.assertTrue(unknown["isError"])
            self.assertIn("there is no event 4711", unknown["content"][0]["text"])
            self.assertTrue(nothing.get("isError") or nothing["error"]["code"] == -32602, nothing)
            self.assertEqual(approve["error"]["code"], -32602)
            self.assertEqual(world.daemon.ctl("actions", "show", proposed)["state"], "proposed")

    def test_a_model_uses_the_tools_of_a_server_of_others(self):
        def script(request):
            if "Echo: are you there" not in request.said():
                return {"tool": next(name for name in request.tools() if "echo" in name),
                        "arguments": {"message": "are you there"}}
            if "The sum of 19 and 23 is 42" not in request.said():
                return {"tool": next(name for name in request.tools() if "sum" in name), "arguments": {"a": 19, "b": 23}}
            return {"text": {"about": "it is there"}}

        server = [shutil.which("node"), str(self.programs / "@modelcontextprotocol/server-everything/dist/index.js"), "stdio"]
        with World(script) as world:
            config = (world.place.path / "vigild.toml").read_text()
            world.place.write("vigild.toml", config.replace(
                "schema = ", 'tools = ["mcp.everything.echo", "mcp.everything.get-sum"]\nschema = ', 1) + f"""
[mcp.everything]
argv = {json.dumps(server)}
sandbox = "none"
reads = ["echo", "get-sum"]
""")
            world.daemon.ctl("config", "reload")
            world.note("are you there?")
            world.settle()
            wait_until("it is written", world.lines)
            self.assertIn("it is there", world.lines()[0])
            self.assertEqual([len(request.tools()) for request in world.stand_in.heard], [2, 2, 2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
