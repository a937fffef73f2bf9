"""A stand-in for a service's HTTP API on loopback: keeps what it was asked, and answers as the test says."""
import http.server
import json
import threading
import urllib.parse


class StandIn:
    """`answer(method, path, query, body)` gives a status and a JSON value; None: it hangs up without a word."""

    def __init__(self, answer):
        self.answer, self.asked, self.lock = answer, [], threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                try:
                    outer.serve(self)
                except ConnectionError:  # the daemon was killed meanwhile
                    self.close_connection = True

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        parts = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        said = json.loads(body) if body else None
        with self.lock:
            self.asked.append({"method": request.command, "path": parts.path, "query": query, "body": said,
                               "authorization": request.headers.get("Authorization", "")})
        result = self.answer(request.command, parts.path, query, said)
        if result is None:
            request.close_connection = True
            return
        status, value = result
        text = json.dumps(value).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def bodies(self, path):
        with self.lock:
            return [one["body"] for one in self.asked if one["path"] == path]

    def queries(self, path):
        with self.lock:
            return [one["query"] for one in self.asked if one["path"] == path]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
