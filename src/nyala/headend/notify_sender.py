"""Sending one message: HTTP POST to a webhook, or a mail by SMTP.  Blocking; `notify_loop` calls it in threads.

A webhook's address is an operator's word, and the centre stands inside his network: an address that leads to this machine or
into a private network is refused unless the operator allows it (server-side request forgery).  The name is looked up once
and the connection goes to the address that was checked, so that a name cannot change its mind in between; redirections
are not followed.
"""

import http.client
import ipaddress
import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from nyala.headend.notify import Happened, Message, Target, TargetKind, signature
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import iso

TIMEOUT_S: Final = 15.0
ANSWER_MAX: Final = 2_000
"""Bytes of an answer that are read."""
PROBLEM_MAX: Final = 300
AGAIN: Final = frozenset({408, 425, 429})
"""Statuses below 500 that another attempt may change."""
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class Tls(StrEnum):
    """How a mail server is spoken to."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail leaves, and in whose name."""

    host: str
    port: int
    sender: str
    tls: Tls = Tls.STARTTLS
    user: str = ""
    password: str = ""


_MAIL_SCHEMES: Final = {"smtp": (Tls.STARTTLS, 587), "smtps": (Tls.TLS, 465), "smtp+plain": (Tls.NONE, 25)}


def mail_server(address: str, sender: str, password: str) -> MailServer:
    """The mail server of `SCHEME://[USER@]HOST[:PORT]`; BadArgumentError."""
    try:
        url = urlsplit(address)
        tls, port = _MAIL_SCHEMES[url.scheme]
        port = url.port or port
    except (ValueError, KeyError):
        raise BadArgumentError(f"not a mail server: {address!r}; schemes are {', '.join(_MAIL_SCHEMES)}") from None
    if not url.hostname or url.password or url.path not in {"", "/"}:
        raise BadArgumentError(f"a mail server is SCHEME://[USER@]HOST[:PORT], without a password: {url.hostname or address!r}")
    return MailServer(url.hostname, port, check_mail(sender), tls, unquote(url.username or ""), password)


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended."""

    happened: Happened
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends.  `mail` None: no mail leaves here; `private`: webhooks may lead into private networks."""

    mail: MailServer | None = None
    private: bool = False

    def send(self, message: Message, target: Target, now_s: int) -> Ended:
        """One attempt; whatever the other side does is an answer, not an error."""
        try:
            if target.kind is TargetKind.WEBHOOK:
                return self._post(message, target, now_s)
            return self._mail(message, target, now_s)
        except BadArgumentError as error:
            return Ended(Happened.REFUSED, str(error)[:PROBLEM_MAX])
        except smtplib.SMTPResponseException as error:
            text = f"the mail server answers {error.smtp_code}: {_plain(error.smtp_error)}"
            return Ended(Happened.REFUSED if error.smtp_code >= 500 else Happened.FAILED, text[:PROBLEM_MAX])
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            text = f"the mail server answers {code}: {_plain(said)}"
            return Ended(Happened.REFUSED if code >= 500 else Happened.FAILED, text[:PROBLEM_MAX])
        except (OSError, http.client.HTTPException, smtplib.SMTPException, UnicodeError) as error:
            return Ended(Happened.FAILED, f"{type(error).__name__}: {error}"[:PROBLEM_MAX])

    def _post(self, message: Message, target: Target, now_s: int) -> Ended:
        url, body = check_url(target.address), message.body.encode()
        host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        place = self._place(host, port)
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        connection.sock = socket.create_connection(place, TIMEOUT_S)
        try:
            if url.scheme == "https":
                connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
            headers = {
                "Content-Type": "application/json",
                "Host": url.netloc.rpartition("@")[2],
                "Nyala-Id": message.name,
                "Nyala-Signature": signature(target.secret, now_s, body),
                "User-Agent": "nyala",
            }
            connection.request("POST", (url.path or "/") + (f"?{url.query}" if url.query else ""), body, headers)
            answer = connection.getresponse()
            answer.read(ANSWER_MAX)
        finally:
            connection.close()
        if 200 <= answer.status < 300:
            return Ended(Happened.TAKEN)
        again = answer.status >= 500 or answer.status in AGAIN
        return Ended(Happened.FAILED if again else Happened.REFUSED, f"the webhook answers {answer.status}")

    def _place(self, host: str, port: int) -> tuple[str, int]:
        """The address to connect to; BadArgumentError where one of the name's addresses is not public."""
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        inside = [] if self.private else [address for address in found if not is_public(address)]
        if inside:
            raise BadArgumentError(f"{host} leads to {inside[0]}, which is no public address: not allowed here")
        return found[0], port

    def _mail(self, message: Message, target: Target, now_s: int) -> Ended:
        server = self.mail
        if server is None:
            raise BadArgumentError("this centre has no mail server: start it with --mail-server")
        letter = letter_of(message, target, server.sender, now_s)
        context = ssl.create_default_context()
        if server.tls is Tls.TLS:
            session: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
        else:
            session = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        with session:
            if server.tls is Tls.STARTTLS:
                session.starttls(context=context)
            if server.user:
                session.login(server.user, server.password)
            session.send_message(letter)
        return Ended(Happened.TAKEN)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open Internet: IANA's registries, and what IPv6 wraps of IPv4."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def check_url(address: str) -> SplitResult:
    """An address of a webhook, in its parts; BadArgumentError."""
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError as error:
        raise BadArgumentError(f"not the address of a webhook: {error}") from None
    if url.scheme not in {"http", "https"} or not url.hostname or port == 0 or not address.isascii() or url.username:
        raise BadArgumentError("a webhook is http://HOST/... or https://HOST/..., without a user in it")
    if any(char <= " " for char in address):
        raise BadArgumentError("the address of a webhook has no blanks")
    return url


def check_mail(address: str) -> str:
    """An address of mail; BadArgumentError."""
    name, _, host = address.rpartition("@")
    odd = not address.isascii() or any(char in ' \t\r\n,;:<>()[]"\\' for char in address)
    if not name or not host or "@" in name or odd:
        raise BadArgumentError(f"not an address of mail: {address!r}")
    return address


def letter_of(message: Message, target: Target, sender: str, now_s: int) -> EmailMessage:
    """The mail of a message: a line that says it, and the facts, in English and Indonesian.  Its Message-ID is its name."""
    said: dict[str, Any] = msgspec.json.decode(message.body)
    letter = EmailMessage()
    letter["From"], letter["To"] = sender, target.address
    letter["Message-ID"] = f"<{message.name}@{sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter["Subject"] = " ".join(headline(said).split())
    lines = [headline(said), ""]
    if said["event"] != "test":
        lines += [said["label_id"], f"severity: {said['severity']}", f"since: {iso(said['first_s'])}"]
        if said["sites"]:
            lines.append(f"sites: {', '.join(said['sites'])}")
    lines += [f"at: {iso(said['at_s'])}", f"sent: {iso(now_s)}", f"id: {message.name}"]
    letter.set_content("\n".join(lines) + "\n")
    return letter


def headline(said: dict[str, Any]) -> str:
    """What happened, in a line."""
    if said["event"] == "test":
        return "nyala: a test message"
    many = f", {said['meters']} meters" if said["scope"] != "meter" else ""
    return f"nyala: {said['label_en']} {said['event']}: {said['scope']} {said['place']}{many}"


def _plain(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
