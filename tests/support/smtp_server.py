"""Takes mail by SMTP on loopback, and keeps it; or hangs up where nobody knows."""
import email
import socket
import threading


class SmtpServer:
    """Takes messages; with `silent` it hangs up where it should say that it took one, and while `open` is not set it
    says nothing there."""

    def __init__(self):
        self.taken, self.silent, self.open = [], False, threading.Event()
        self.open.set()
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                line, _ = self.door.accept()
            except OSError:
                return
            with line, line.makefile("rb") as heard:
                try:
                    self.talk(line, heard)
                except OSError:
                    pass

    def talk(self, line, heard):
        envelope = []
        line.sendall(b"220 test\r\n")
        for words in heard:
            verb = words[:4].upper()
            if verb == b"QUIT":
                return line.sendall(b"221 bye\r\n")
            if verb in (b"MAIL", b"RCPT"):
                envelope.append(words.decode().strip())
            if verb != b"DATA":
                line.sendall(b"250-test\r\n250 AUTH PLAIN\r\n" if verb == b"EHLO" else b"250 ok\r\n")
                continue
            line.sendall(b"354 go on\r\n")
            text = b""
            while not text.endswith(b"\r\n.\r\n"):
                text += heard.readline()
            self.taken.append((envelope, email.message_from_bytes(text[:-3])))
            self.open.wait(60)
            if self.silent:
                return
            line.sendall(b"250 taken\r\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.door.close()
