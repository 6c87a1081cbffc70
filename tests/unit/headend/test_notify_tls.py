"""Webhooks over HTTPS and mail over TLS against real servers of this machine: who is trusted, and who gets nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from nyala.headend.notify import Happened
from nyala.headend.notify_sender import Sender, Tls
from tests.unit.headend.certificates import Authority
from tests.unit.headend.receivers import mailbox, webhook
from tests.unit.headend.test_notify import T, hook, message, target


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("trusted"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(autouse=True)
def trusted(monkeypatch, authority):
    """The machine trusts one authority, as an operator tells OpenSSL."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))


BAD = ("of another authority", "of another name", "of the past")


def bad(kind, authority, stranger):
    """A server that is not the one that it should be."""
    if kind == BAD[0]:
        return stranger.server()
    return authority.server("elsewhere.example") if kind == BAD[1] else authority.server(life=timedelta(days=30))


def test_a_webhook_over_https_gets_the_facts(authority):
    with webhook(tls=authority.server()) as there:
        ended = Sender(private=True).send(message(), hook(there.url), T)
    assert ended.happened is Happened.TAKEN
    [(path, headers, _)] = there.got
    assert path == "/hook?x=1"
    assert headers["Host"].startswith("localhost:")


@pytest.mark.parametrize("kind", BAD)
def test_a_webhook_whose_certificate_is_bad_gets_nothing_and_is_tried_again(kind, authority, stranger):
    with webhook(tls=bad(kind, authority, stranger)) as there:
        ended = Sender(private=True).send(message(), hook(there.url), T)
    assert (ended.happened, there.got) == (Happened.FAILED, [])
    assert "certificate verify failed" in ended.problem


def test_https_to_a_server_that_speaks_plain_http_fails():
    with webhook() as there:
        address = there.url.replace("http:", "https:")
        ended = Sender(private=True).send(message(), hook(address), T)
    assert (ended.happened, there.got) == (Happened.FAILED, [])
    assert "SSL" in ended.problem


@pytest.mark.parametrize("kind", [Tls.STARTTLS, Tls.TLS])
def test_mail_leaves_over_tls(kind, authority):
    with mailbox(kind, authority.server()) as box:
        ended = Sender(box.server).send(message(), target(), T)
    assert ended.happened is Happened.TAKEN
    assert len(box.letters) == 1


@pytest.mark.parametrize("how", [Tls.STARTTLS, Tls.TLS])
@pytest.mark.parametrize("kind", BAD)
def test_a_mail_server_whose_certificate_is_bad_gets_no_mail(how, kind, authority, stranger):
    with mailbox(how, bad(kind, authority, stranger)) as box:
        ended = Sender(box.server).send(message(), target(), T)
    assert (ended.happened, box.letters) == (Happened.FAILED, [])
    assert "certificate verify failed" in ended.problem


def test_a_mail_server_that_demands_tls_takes_nothing_in_plain(authority):
    with mailbox(Tls.STARTTLS, authority.server()) as box:
        ended = Sender(replace(box.server, tls=Tls.NONE)).send(message(), target(), T)
    assert (ended.happened, box.letters) == (Happened.REFUSED, [])
    assert "STARTTLS" in ended.problem
