"""Real servers of this machine that notifications are sent to: HTTP and SMTP."""

import threading
from asyncio import Server
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext, SSLError
from typing import Any

from aiosmtpd.controller import Controller

from nyala.headend.notify_sender import MailServer, Tls


@dataclass
class Webhook:
    """An HTTP server: what it got, and what it answers (the last status for ever)."""

    url: str = ""
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=lambda: [204])

    def answer(self) -> int:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def webhook(*answers: int, tls: SSLContext | None = None) -> Iterator[Webhook]:
    """A server that answers so; with `tls` over HTTPS, by the name `localhost`."""
    state = Webhook(answers=list(answers) or [204])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.got.append((self.path, dict(self.headers.items()), body))
            self.send_response(state.answer())
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def handle(self) -> None:
            with suppress(SSLError, OSError):  # who does not trust us goes away in the handshake
                super().handle()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}/hook?x=1"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        state.url = state.url.replace("http://127.0.0.1", "https://localhost")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """What an SMTP server got.  `refuse`: what it says to a recipient instead of taking it."""

    server: MailServer = field(default_factory=lambda: MailServer("", 0, ""))
    letters: list[EmailMessage] = field(default_factory=list)
    refuse: str = ""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


class _OnAnyPort(Controller):
    """Listens on a port that is free."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mailbox(kind: Tls = Tls.NONE, tls: SSLContext | None = None) -> Iterator[Mailbox]:
    """A mail server; with `tls` by the name `localhost`, from the first byte or by STARTTLS, which it then demands."""
    state = Mailbox()
    secured: dict[str, Any] = {"tls_context": tls, "require_starttls": True} if kind is Tls.STARTTLS else {}
    if kind is Tls.TLS:
        secured["ssl_context"] = tls
    controller = _OnAnyPort(state, hostname="127.0.0.1", port=0, **secured)
    controller.start()
    host = "127.0.0.1" if tls is None else "localhost"
    state.server = MailServer(host, controller.port, "nyala@utility.example", kind)
    try:
        yield state
    finally:
        controller.stop()
