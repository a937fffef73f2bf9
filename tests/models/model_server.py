"""A server that answers chat completions and messages as a test scripts it, and counts what it tells.

Sources of the forms: https://platform.openai.com/docs/api-reference/chat-streaming and
https://docs.anthropic.com/en/api/messages-streaming.
"""
import http.server
import json
import threading


class StandIn:
    """`script(request)` gives what to do: {"text": ..., "manner": ...}. Manners: stream (default), cut, 429, 500,
    malformed. A dict as text is JSON. With "tool" and "arguments" a tool is called (chat completions)."""

    def __init__(self, script):
        self.script = script
        self.told = {"input": 0, "output": 0, "cache_read": 0, "calls": 0}
        self.heard = []
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.answer(self, body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler, body):
        request = Request(handler.path, dict(handler.headers), body)
        with self.lock:
            self.heard.append(request)
            number = len(self.heard)
            wish = self.script(request)
        manner = wish.get("manner", "stream")
        if manner in ("429", "500"):
            return send(handler, int(manner), b'{"error": {"message": "not now"}}', {"Retry-After": "0"})
        text = wish.get("text", "")
        text = text if isinstance(text, str) else json.dumps(text)
        usage = {"input": 100 + number, "output": 7 + number % 5, "cache_read": 30 if number % 3 == 0 else 0}
        events = messages(text, usage, body) if request.path.endswith("/messages") else chat(text, usage, wish)
        if manner == "malformed":
            return send(handler, 200, b'data: {"choices": [\n\n')
        if manner == "cut":
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            handler.close_connection = True
            return None
        with self.lock:
            for name, amount in usage.items():
                self.told[name] += amount
            self.told["calls"] += 1
        return send(handler, 200, "".join(events).encode(), {"Content-Type": "text/event-stream"})


class Request:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body

    def system(self):
        system = self.body.get("system")
        if system is not None:
            return "".join(block["text"] for block in system)
        return self.body["messages"][0]["content"]

    def said(self):
        """Everything but the system prompt, as text."""
        turns = self.body["messages"]
        return json.dumps(turns if "system" in self.body else turns[1:], ensure_ascii=False)

    def tools(self):
        names = [tool.get("name") or tool["function"]["name"] for tool in self.body.get("tools", [])]
        return [name for name in names if name != "answer"]


def send(handler, status, body, headers=None):
    handler.send_response(status)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def chat(text, usage, wish):
    half = len(text) // 2
    for part in (text[:half], text[half:]):
        yield event({"choices": [{"delta": {"content": part}}]})
    if "tool" in wish:
        function = {"name": wish["tool"], "arguments": json.dumps(wish["arguments"])}
        yield event({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c1", "function": function}]}}]})
    yield event({"choices": [{"delta": {}, "finish_reason": "tool_calls" if "tool" in wish else "stop"}]})
    yield event({"choices": [], "usage": {"prompt_tokens": usage["input"] + usage["cache_read"],
                                          "completion_tokens": usage["output"],
                                          "prompt_tokens_details": {"cached_tokens": usage["cache_read"]}}})
    yield "data: [DONE]\n\n"


def messages(text, usage, body):
    yield event({"type": "message_start", "message": {"usage": {
        "input_tokens": usage["input"], "output_tokens": 1, "cache_read_input_tokens": usage["cache_read"]}}})
    if any(tool["name"] == "answer" for tool in body.get("tools", [])):
        yield event({"type": "content_block_start", "index": 0,
                     "content_block": {"type": "tool_use", "id": "t", "name": "answer", "input": {}}})
        yield event({"type": "content_block_delta", "index": 0,
                     "delta": {"type": "input_json_delta", "partial_json": text}})
    else:
        yield event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
    yield event({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                 "usage": {"output_tokens": usage["output"]}})
    yield event({"type": "message_stop"})


def event(data):
    return f"data: {json.dumps(data)}\n\n"
