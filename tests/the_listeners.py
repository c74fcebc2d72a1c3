"""Who is told: a mail server and a web server on this machine, which keep what comes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import DatagramRequestHandler, StreamRequestHandler, ThreadingTCPServer, UDPServer
from typing import Any, ClassVar


class _Server(ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


@contextmanager
def mail_server() -> Iterator[tuple[int, list[EmailMessage]]]:
    """A port that speaks as much of SMTP (RFC 5321) as a letter needs, and the letters that came."""
    letters: list[EmailMessage] = []

    class Session(StreamRequestHandler):
        answers: ClassVar = {b"EHLO": b"250 here", b"QUIT": b"221 bye", b"DATA": b"354 go on"}

        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                command = line[:4].upper()
                self.wfile.write(self.answers.get(command, b"250 ok") + b"\r\n")
                if command == b"DATA":
                    body = b"".join(iter(self.rfile.readline, b".\r\n"))
                    letters.append(message_from_bytes(body, policy=policy.default))  # type: ignore[arg-type]
                    self.wfile.write(b"250 kept\r\n")
                if command == b"QUIT":
                    return

    with _Server(("127.0.0.1", 0), Session) as server, _serving(server):
        yield server.server_address[1], letters


@contextmanager
def web_server() -> Iterator[tuple[int, list[tuple[str, Any]]]]:
    """A port that takes JSON, and the paths with what was posted to each."""
    posted: list[tuple[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append((self.path, json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server, _serving(server):
        yield server.server_address[1], posted


@contextmanager
def _serving(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def as_connection(kind: str, port: int, **extra: object) -> str:
    """A connection of Airflow as an environment variable holds it."""
    return json.dumps(
        {
            "conn_type": kind,
            "host": "127.0.0.1",
            "port": port,
            "schema": "http" if kind == "http" else "",
            "extra": extra,
        }
    )


@contextmanager
def datagrams() -> Iterator[tuple[int, list[str]]]:
    """A port that takes datagrams, as StatsD does, and their lines."""
    lines: list[str] = []

    class Taken(DatagramRequestHandler):
        def handle(self) -> None:
            lines.extend(self.rfile.read().decode().splitlines())

    with UDPServer(("127.0.0.1", 0), Taken) as server, _serving(server):
        yield server.server_address[1], lines
