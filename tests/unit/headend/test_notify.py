"""Who is told, the life of a message, the signature; and sending to real servers of this machine."""

import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.notify import (
    ATTEMPTS_MAX,
    BACK_OFF_MAX_S,
    BACK_OFF_S,
    SIGNED_FOR_S,
    TABLE,
    Happened,
    Message,
    MessageState,
    Target,
    TargetKind,
    back_off_s,
    bodies,
    body_of,
    is_signed,
    moved,
    signature,
    trial_body,
)
from nyala.headend.notify_sender import Sender, Tls, check_mail, check_url, is_public, letter_of, mail_server
from nyala.headend.storms_shapes import Notice, Scope
from nyala.vocab.alarms import Alarm
from nyala.vocab.centre_alarms import GATEWAY_SILENT
from nyala.vocab.errors import BadArgumentError, ConflictError
from nyala.vocab.time import US_PER_S
from tests.unit.headend.receivers import mailbox, webhook

T = 1_762_560_000
SECRET = bytes(range(32))
STORM = Notice("incident-7-raised", 1, int(Alarm.METER_DISCONNECTED), True, Scope.SITE, "Blok C", ("Blok C",), T, T, 1_000)
MAGNET = Notice("alarm-5-4-9-raised", 1, int(Alarm.MAGNET), True, Scope.METER, "N00005", ("Blok A",), T, T, 1, 120)


def target(address="ops@utility.example", **said):
    plain = {"id": 3, "tenant_id": 1, "name": "ops", "kind": TargetKind.EMAIL, "address": address, "secret": SECRET}
    return Target(**(plain | said))


def hook(url):
    return target(url, kind=TargetKind.WEBHOOK)


def message(notice=STORM, state=MessageState.SENDING, attempts=1, **said):
    return Message(1, 3, notice.subject, body_of(notice), state, attempts, T * US_PER_S, T * US_PER_S, **said)


# -- rules


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, [STORM, MAGNET]),
        ({"tenant_id": 2}, []),
        ({"severities": ("high",)}, [STORM]),
        ({"severities": ("medium", "low")}, [MAGNET]),
        ({"kinds": ("magnet",)}, [MAGNET]),
        ({"place": "blok"}, [STORM, MAGNET]),
        ({"place": "blok a"}, [MAGNET]),
        ({"place": "N00005"}, [MAGNET]),
        ({"severities": ("high",), "place": "Blok A"}, []),
    ],
)
def test_a_target_is_told_what_its_rule_says(said, told):
    assert [subject for _, subject, _ in bodies([STORM, MAGNET], [target(**said)])] == [each.subject for each in told]


def test_a_gateway_is_found_by_the_sites_of_its_meters():
    down = Notice("incident-8-raised", 1, GATEWAY_SILENT, True, Scope.GATEWAY, "0016c0", ("Blok A", "Blok B"), T, T, 9)
    assert target(place="blok b").wants(down)
    assert not target(place="blok c").wants(down)


# -- the life of a message


def test_the_table_walks_every_state_and_everything_that_happens():
    assert {state for state, _ in TABLE} | {MessageState.DELIVERED} == set(MessageState)
    assert {happened for _, happened in TABLE} == set(Happened)
    for state in MessageState:
        for happened in Happened:
            if (state, happened) not in TABLE:
                with pytest.raises(ConflictError, match=f"message 1 is {state}"):
                    moved(message(state=state), happened, T)


def test_attempts_come_later_and_later_and_end():
    gaps = [back_off_s(attempt) for attempt in range(1, ATTEMPTS_MAX)]
    assert gaps[:3] == [BACK_OFF_S, 2 * BACK_OFF_S, 4 * BACK_OFF_S]
    assert gaps == sorted(gaps)
    assert gaps[-1] == BACK_OFF_MAX_S
    assert sum(gaps) > 7 * 3_600


@given(st.lists(st.sampled_from(Happened), max_size=60))
def test_a_message_is_never_tried_more_often_than_allowed_and_its_end_is_shown(happenings):
    now = message(state=MessageState.QUEUED, attempts=0)
    tried = 0
    for happened in happenings:
        if (now.state, happened) not in TABLE:
            continue
        tried = 0 if happened is Happened.RESENT else tried + (happened is Happened.BEGUN)
        now = moved(now, happened, T * US_PER_S, "why")
        assert tried == now.attempts <= ATTEMPTS_MAX
        assert now.next_us >= T * US_PER_S
        if now.state is MessageState.DEAD:
            assert now.problem.startswith("why")


# -- the signature


def test_a_signature_is_that_of_the_openssl_vector():
    """HMAC-SHA256 of `1.{}` under a key of 32 zeros, as `openssl dgst -sha256 -mac HMAC` gives it."""
    said = "a07ac7cfc802ea7629f0933ebf00ef447832d56dcdcab022d121f329249e4ac3"
    assert signature(bytes(32), 1, b"{}") == f"t=1,v1={said}"


@given(st.binary(max_size=60), st.integers(0, 2**40), st.binary(min_size=1, max_size=8))
def test_a_receiver_takes_what_was_signed_and_nothing_else(body, at_s, other):
    header = signature(SECRET, at_s, body)
    assert is_signed(SECRET, header, body, at_s + SIGNED_FOR_S)
    assert not is_signed(SECRET, header, body + other, at_s)
    assert not is_signed(bytes(32), header, body, at_s)
    assert not is_signed(SECRET, header, body, at_s + SIGNED_FOR_S + 1)
    assert not is_signed(SECRET, header.replace("t=", "t=1", 1), body, at_s)


# -- a webhook


def test_a_webhook_gets_the_facts_signed_and_with_a_name():
    with webhook() as server:
        ended = Sender(private=True).send(message(), hook(server.url), T + 5)
    assert ended.happened is Happened.TAKEN
    [(path, headers, body)] = server.got
    assert path == "/hook?x=1"
    assert headers["Nyala-Id"] == "incident-7-raised.3"
    assert headers["Content-Type"] == "application/json"
    assert is_signed(SECRET, headers["Nyala-Signature"], body, T + 5)
    assert json.loads(body) == {
        "version": 1,
        "subject": "incident-7-raised",
        "event": "raised",
        "alarm": "meter_disconnected",
        "severity": "high",
        "label_en": "Meter disconnected",
        "label_id": "Meter terputus",
        "scope": "site",
        "place": "Blok C",
        "sites": ["Blok C"],
        "meters": 1_000,
        "first_s": T,
        "at_s": T,
        "value": None,
        "unit": None,
        "scaler": 0,
    }


@pytest.mark.parametrize(
    ("status", "happened"),
    [
        (200, Happened.TAKEN),
        (301, Happened.REFUSED),
        (400, Happened.REFUSED),
        (410, Happened.REFUSED),
        (408, Happened.FAILED),
        (429, Happened.FAILED),
        (500, Happened.FAILED),
        (503, Happened.FAILED),
    ],
)
def test_what_a_webhook_answers_decides_and_redirections_are_not_followed(status, happened):
    with webhook(status) as server:
        ended = Sender(private=True).send(message(), hook(server.url), T)
    assert ended.happened is happened
    assert len(server.got) == 1
    assert ended.problem == ("" if happened is Happened.TAKEN else f"the webhook answers {status}")


def test_a_webhook_that_is_not_there_is_tried_again():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        ended = Sender(private=True).send(message(), hook(f"http://127.0.0.1:{bound.getsockname()[1]}/"), T)
    assert (ended.happened, ended.problem.partition(":")[0]) == (Happened.FAILED, "ConnectionRefusedError")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "0.0.0.0",
        "10.1.2.3",
        "192.168.1.1",
        "172.16.0.9",
        "169.254.169.254",
        "100.64.0.1",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "224.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
    ],
)
def test_a_webhook_does_not_lead_inside(host):
    with webhook() as server:
        port = server.url.split(":")[2].split("/")[0]
        ended = Sender().send(message(), hook(f"http://{host}:{port}/"), T)
    assert ended.happened is Happened.REFUSED
    assert "no public address: not allowed here" in ended.problem
    assert server.got == []


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_of_the_open_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://a.example/",
        "file:///etc/passwd",
        "http://",
        "https://user@a.example/",
        "http://a.example:0/",
        "http://a.example:99999/",
        "http://a b/",
        "http://a.example/\r\nX: y",
        "a.example",
        "http://[::1",
        "http://ä.example/",
    ],
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(BadArgumentError, match="webhook"):
        check_url(address)
    assert Sender(private=True).send(message(), hook(address), T).happened is Happened.REFUSED


# -- mail


def test_a_mail_says_it_in_a_line_and_is_known_by_its_id():
    with mailbox() as box:
        ended = Sender(box.server).send(message(MAGNET), target(), T + 60)
    assert ended.happened is Happened.TAKEN
    [letter] = box.letters
    assert letter["Subject"] == "nyala: Magnetic disturbance raised: meter N00005"
    assert letter["Message-ID"] == "<alarm-5-4-9-raised.3@utility.example>"
    assert (letter["From"], letter["To"]) == ("nyala@utility.example", "ops@utility.example")
    text = letter.get_content()
    for line in ("Gangguan magnet", "severity: medium", "sites: Blok A", "at: 2025-11-08T00:00:00Z"):
        assert line in text


@pytest.mark.parametrize(("said", "happened"), [("550 no such user", Happened.REFUSED), ("451 later", Happened.FAILED)])
def test_what_a_mail_server_answers_decides(said, happened):
    with mailbox() as box:
        box.refuse = said
        ended = Sender(box.server).send(message(), target(), T)
    assert (ended.happened, ended.problem) == (happened, f"the mail server answers {said.replace(' ', ': ', 1)}")
    assert box.letters == []


def test_a_mail_server_without_tls_gets_nothing_where_tls_is_wanted():
    with mailbox() as box:
        server = mail_server(f"smtp://127.0.0.1:{box.server.port}", "nyala@utility.example", "")
        ended = Sender(server).send(message(), target(), T)
    assert (ended.happened, box.letters) == (Happened.FAILED, [])
    assert "STARTTLS" in ended.problem


def test_without_a_mail_server_a_mail_is_refused_and_says_how_to_have_one():
    ended = Sender().send(message(), target(), T)
    assert ended.happened is Happened.REFUSED
    assert "--mail-server" in ended.problem


def test_the_names_of_sites_cannot_write_headers():
    odd = Notice("incident-9-raised", 1, 0, True, Scope.SITE, "A\r\nBcc: all@example.org", ("A\r\nBcc: x",), T, T, 9)
    letter = letter_of(message(odd), target(), "nyala@utility.example", T)
    assert letter["Bcc"] is None
    assert letter["Subject"].startswith("nyala: Meter disconnected raised: site A Bcc:")


def test_a_test_message_can_be_sent_both_ways():
    trial = Message(1, 3, "test-key", trial_body("test-key", T), MessageState.SENDING, 1, T, T)
    with mailbox() as box, webhook() as server:
        sender = Sender(box.server, private=True)
        assert sender.send(trial, target(), T).happened is Happened.TAKEN
        assert sender.send(trial, hook(server.url), T).happened is Happened.TAKEN
    assert box.letters[0]["Subject"] == "nyala: a test message"
    assert json.loads(server.got[0][2])["event"] == "test"


@pytest.mark.parametrize("address", ["a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nBcc: c", "a,b@c", "<a@b>", "ä@b"])
def test_an_address_of_mail_that_is_none_is_refused(address):
    with pytest.raises(BadArgumentError, match="not an address of mail"):
        check_mail(address)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("smtp://mail.example", ("mail.example", 587, Tls.STARTTLS, "")),
        ("smtps://me%40b@mail.example", ("mail.example", 465, Tls.TLS, "me@b")),
        ("smtp+plain://10.0.0.1:2525", ("10.0.0.1", 2525, Tls.NONE, "")),
    ],
)
def test_a_mail_server_is_read(address, found):
    server = mail_server(address, "nyala@b.example", "pw")
    assert (server.host, server.port, server.tls, server.user) == found


@pytest.mark.parametrize("address", ["mail.example", "http://mail.example", "smtp://", "smtp://u:p@mail.example", "smtp://a:x"])
def test_a_mail_server_that_is_none_is_refused(address):
    with pytest.raises(BadArgumentError, match="mail server"):
        mail_server(address, "nyala@b.example", "pw")
