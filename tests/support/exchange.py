"""An exchange as the daemon sees it: a WebSocket that says whatever it is told to say to everybody who is
connected, and counts who came."""
import base64
import hashlib
import json
import socket
import struct
import threading


class Exchange:
    def __init__(self):
        self.lock = threading.Lock()
        self.connections = []  # greeted and not yet gone
        self.greetings = []    # what was said to us first, one for each that came
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection):
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                more = connection.recv(4096)
                if not more:
                    raise OSError("gone")
                head += more
            key = [line.split(b": ", 1)[1] for line in head.split(b"\r\n")
                   if line.lower().startswith(b"sec-websocket-key")][0]
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            greeting = connection.recv(65536)  # the subscription, masked as all that clients say
            if not greeting:
                raise OSError("gone")
        except (OSError, IndexError):
            connection.close()  # the daemon was killed meanwhile
            return
        with self.lock:
            self.greetings.append(greeting)
            self.connections.append(connection)

    def say(self, message):
        """To all who are there; True when there was somebody."""
        text = json.dumps(message).encode()
        frame = (b"\x81" + bytes([len(text)]) if len(text) < 126
                 else b"\x81\x7e" + struct.pack(">H", len(text))) + text
        with self.lock:
            there = []
            for connection in self.connections:
                try:
                    connection.sendall(frame)
                    there.append(connection)
                except OSError:
                    connection.close()  # the daemon was killed
            self.connections = there
            return bool(there)

    def hang_up(self):
        with self.lock:
            for connection in self.connections:
                connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            self.connections = []

    def close(self):
        self.listener.close()
        with self.lock:
            for connection in self.connections:
                connection.close()
