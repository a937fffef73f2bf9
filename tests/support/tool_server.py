#!/usr/bin/env python3
"""A server of tools as a test needs it, on standard input and output or, given a port file, over HTTP: one tool that looks,
one that acts, and ones that misbehave. What was called is written to the file $CALLED.

Form: https://modelcontextprotocol.io/specification/2025-06-18
"""
import http.server
import json
import os
import pathlib
import sys
import time

TOOLS = [{"name": name, "description": f"the tool {name}", "inputSchema": {"type": "object"}}
         for name in ("search", "send", "environment", "fail", "hang", "die", "long", "ask_back", "garbage", "picture")]
TEXT = {"type": "text"}


def call(name, arguments):
    if "CALLED" in os.environ:
        with open(os.environ["CALLED"], "a") as file:
            file.write(f"{name} {json.dumps(arguments)} {os.getpid()}\n")
    if name == "environment":
        return {"content": [dict(TEXT, text=json.dumps(dict(os.environ)))]}
    if name == "fail":
        return {"content": [dict(TEXT, text="no such document")], "isError": True}
    if name == "hang":
        time.sleep(60)
    if name == "die":
        print("I am out of memory", file=sys.stderr, flush=True)
        os._exit(3)
    if name == "long":
        return {"content": [dict(TEXT, text="ä" * 100_000)]}
    if name == "picture":
        return {"content": [{"type": "image", "data": "AAAA", "mimeType": "image/png"}, dict(TEXT, text="a cat")]}
    time.sleep(arguments.get("sleep", 0))
    return {"content": [dict(TEXT, text=f"{name} found {arguments.get('query', 'nothing')}")]}


def answer(message):
    """What is said to a message; None: nothing."""
    method, parameters = message.get("method"), message.get("params", {})
    if "id" not in message or method is None:
        return None
    result = {}
    if method == "initialize":
        result = {"protocolVersion": os.environ.get("PROTOCOL", parameters["protocolVersion"]),
                  "capabilities": {"tools": {}}, "serverInfo": {"name": "test", "version": "1"}}
    elif method == "tools/list":
        begin = int(parameters.get("cursor", 0))
        result = {"tools": TOOLS[begin:begin + 4]}
        if begin + 4 < len(TOOLS):
            result["nextCursor"] = str(begin + 4)
    elif method == "tools/call":
        result = call(parameters["name"], parameters["arguments"])
    else:
        return {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": f"no {method}"}}
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}


def speak_in_lines():
    for line in sys.stdin:
        message = json.loads(line)
        name = message.get("params", {}).get("name")
        if name == "garbage":
            print("this is a line of a log", flush=True)
            continue
        if name == "ask_back":  # and tells news, as servers do
            print(json.dumps({"jsonrpc": "2.0", "method": "notifications/message", "params": {}}), flush=True)
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "method": "ping"}), flush=True)
            replied = json.loads(sys.stdin.readline())
            assert replied == {"jsonrpc": "2.0", "id": message["id"], "result": {}}, replied
        said = answer(message)
        if said is not None:
            print(json.dumps(said), flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sessions = []
    calls = 0

    def reply(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self):
        Handler.sessions.remove(self.headers["Mcp-Session-Id"])
        self.reply(204)

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != "Bearer " + os.environ["KEY"]:
            return self.reply(401, f"who is {self.headers['Authorization']}".encode())
        if message["method"] == "initialize":
            Handler.sessions.append(f"session-{len(Handler.sessions)}-{time.time()}")
            body = json.dumps(answer(message)).encode()
            return self.reply(200, body, [("Content-Type", "application/json"), ("Mcp-Session-Id", Handler.sessions[-1])])
        if self.headers["Mcp-Session-Id"] not in Handler.sessions:
            return self.reply(404, b"no such session")
        assert self.headers["MCP-Protocol-Version"] == "2025-06-18"
        if message["method"] == "tools/call":
            Handler.calls += 1
            if Handler.calls == 2:  # it forgets
                Handler.sessions.clear()
                return self.reply(404, b"no such session")
        said = answer(message)
        if said is None:
            return self.reply(202)
        # As a stream that stays open after the answer.
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        news = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}
        for one in (news, said):
            self.wfile.write(f"event: message\ndata: {json.dumps(one)}\n\n".encode())
        self.wfile.flush()
        time.sleep(20)
        self.close_connection = True

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    if len(sys.argv) == 1:
        speak_in_lines()
    else:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        pathlib.Path(sys.argv[1]).write_text(str(server.server_address[1]))
        server.serve_forever()
