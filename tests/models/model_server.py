"""A server that answers chat completions, messages and responses as a test scripts it, and counts what it tells.

Sources of the forms: https://platform.openai.com/docs/api-reference/chat-streaming,
https://platform.openai.com/docs/api-reference/responses-streaming and
https://docs.anthropic.com/en/api/messages-streaming.
"""
import http.server
import json
import threading


class StandIn:
    """`script(request)` gives what to do: {"text": ..., "manner": ...}. Manners: stream (default), cut, 429, 500,
    malformed. A dict as text is JSON. With "tool" and "arguments" a tool is called. As a proxy it lets nobody out, and keeps
    in `outside` who wanted to."""

    def __init__(self, script):
        self.script = script
        self.told = {"input": 0, "output": 0, "cache_read": 0, "calls": 0}
        self.heard = []
        self.outside = []
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.answer(self, body)

            def do_CONNECT(self):
                outer.outside.append(self.path)
                self.send_error(403)

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # who asked is gone

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler, body):
        request = Request(handler.path.partition("?")[0], dict(handler.headers), body)
        with self.lock:
            self.heard.append(request)
            number = len(self.heard)
        wish = self.script(request)  # which may hold a question for as long as it likes
        manner = wish.get("manner", "stream")
        if manner in ("429", "500"):
            return send(handler, int(manner), b'{"error": {"message": "not now"}}', {"Retry-After": "0"})
        text = wish.get("text", "")
        text = text if isinstance(text, str) else json.dumps(text)
        usage = {"input": 100 + number, "output": 7 + number % 5, "cache_read": 30 if number % 3 == 0 else 0}
        form = request.path.rpartition("/")[2]
        events = (messages(text, usage, wish, body) if form == "messages" else
                  responses(text, usage, wish) if form == "responses" else chat(text, usage, wish))
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
        system = self.body.get("system", self.body.get("instructions"))
        if isinstance(system, str):
            return system
        if system is not None:
            return "".join(block["text"] for block in system)
        return self.body["messages"][0]["content"]

    def said(self):
        """Everything but the system prompt, as text."""
        turns = self.body["input"] if "input" in self.body else self.body["messages"]
        return json.dumps(turns[1:] if turns[0].get("role") == "system" else turns, ensure_ascii=False)

    def tools(self):
        names = [tool.get("name") or tool.get("function", tool).get("name") for tool in self.body.get("tools", [])]
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


def messages(text, usage, wish, body):
    yield event({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": {
            "input_tokens": usage["input"], "output_tokens": 1, "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": usage["cache_read"]}}})
    blocks = []
    if any(tool.get("name") == "answer" for tool in body.get("tools", [])):
        blocks.append(("answer", text))
    elif text:
        blocks.append((None, text))
    if "tool" in wish:
        blocks.append((wish["tool"], json.dumps(wish["arguments"])))
    for index, (tool, told) in enumerate(blocks):
        start = {"type": "text", "text": ""} if tool is None else {
            "type": "tool_use", "id": f"toolu_{usage['input']}", "name": tool, "input": {}}
        delta = {"type": "text_delta", "text": told} if tool is None else {
            "type": "input_json_delta", "partial_json": told}
        yield event({"type": "content_block_start", "index": index, "content_block": start})
        yield event({"type": "content_block_delta", "index": index, "delta": delta})
        yield event({"type": "content_block_stop", "index": index})
    reason = "tool_use" if "tool" in wish else "end_turn"
    yield event({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None},
                 "usage": {"output_tokens": usage["output"]}})
    yield event({"type": "message_stop"})


def responses(text, usage, wish):
    number = usage["input"]
    items = []
    if text:
        items.append({"type": "message", "role": "assistant", "id": f"msg_{number}", "status": "completed",
                      "content": [{"type": "output_text", "text": text, "annotations": []}]})
    if "tool" in wish:
        items.append({"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}",
                      "name": wish["tool"], "arguments": json.dumps(wish["arguments"])})
    yield event({"type": "response.created", "response": {"id": f"resp_{number}"}})
    for index, item in enumerate(items):
        yield event({"type": "response.output_item.done", "output_index": index, "item": item})
    total = usage["input"] + usage["cache_read"]
    yield event({"type": "response.completed", "response": {"id": f"resp_{number}", "status": "completed", "usage": {
        "input_tokens": total, "input_tokens_details": {"cached_tokens": usage["cache_read"]},
        "output_tokens": usage["output"], "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": total + usage["output"]}}})


def event(data):
    name = f"event: {data['type']}\n" if "type" in data else ""
    return f"{name}data: {json.dumps(data)}\n\n"
