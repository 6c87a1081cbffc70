"""Logging in and out: who one is, how long, and what happens to who guesses."""

import pytest

from nyala.api import auth
from nyala.api.auth import COOKIE, FAILURES_MAX, FAILURES_S, LOGIN_S, PASSWORD_MIN
from nyala.api.permissions import ROLES, permissions_of
from nyala.vocab.errors import BadArgumentError, UnknownError
from tests.unit.api.estate import PASSWORD, is_problem

WRONG = "wrong name or password"


def token_of(response):
    return response.cookies[COOKIE]


def test_logging_in_gives_a_cookie_that_other_sites_cannot_use(estate):
    response = estate.log_in("operator")
    assert response.status_code == 200
    cookie = response.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={LOGIN_S}"):
        assert part in cookie
    assert "Secure" not in cookie
    assert response.json() == estate.get("session", token=token_of(response))


def test_behind_tls_the_cookie_stays_there(estate):
    estate.state.secure_cookies = True
    assert "Secure" in estate.log_in("operator").headers["set-cookie"]


@pytest.mark.parametrize("role", ROLES)
def test_the_session_tells_who_one_is_and_what_one_may(estate, role):
    user = estate.get("session", role)["user"]
    assert user == {
        "name": role,
        "role": role,
        "tenant": "ours",
        "language": "en",
        "permissions": sorted(permissions_of(role)),
    }


@pytest.mark.parametrize(("name", "password"), [("operator", "wrong horse"), ("nobody", PASSWORD), ("", ""), ("operator", "")])
def test_a_wrong_name_and_a_wrong_password_are_told_the_same(estate, name, password):
    assert is_problem(estate.log_in(name, password), 401, "not-logged-in")["detail"] == WRONG


def test_after_so_many_failures_a_name_has_to_wait(estate):
    for _ in range(FAILURES_MAX):
        assert is_problem(estate.log_in("operator", "guess"), 401, "not-logged-in")["detail"] == WRONG
        estate.later(1)
    assert "wait 5 minutes" in is_problem(estate.log_in("operator"), 401, "not-logged-in")["detail"]
    assert estate.log_in("viewer").status_code == 200
    estate.later(FAILURES_S)
    assert estate.log_in("operator").status_code == 200


def test_a_login_clears_the_failures_before_it(estate):
    for _ in range(2):
        for _ in range(FAILURES_MAX - 1):
            estate.log_in("operator", "guess")
        assert estate.log_in("operator").status_code == 200


def test_strangers_names_do_not_fill_the_memory(estate, monkeypatch):
    monkeypatch.setattr(auth, "NAMES_WATCHED", 2)
    for number in range(4):
        estate.log_in(f"stranger{number}", "guess")
    assert list(auth._failures) == ["stranger2", "stranger3"]


def test_a_login_ends_after_a_shift(estate):
    token = token_of(estate.log_in("operator"))
    estate.later(LOGIN_S - 1)
    assert estate.get("session", token=token)["user"]["name"] == "operator"
    estate.later(1)
    problem = is_problem(estate.ask("GET", "session", token=token), 401, "not-logged-in")
    assert problem["detail"] == "the login has ended: log in again"


def test_logging_out_ends_the_login_and_takes_the_cookie(estate):
    token, other = token_of(estate.log_in("operator")), token_of(estate.log_in("operator"))
    response = estate.ask("DELETE", "session", token=token)
    assert (response.status_code, response.content) == (204, b"")
    assert f'{COOKIE}=""' in response.headers["set-cookie"]
    is_problem(estate.ask("GET", "session", token=token), 401, "not-logged-in")
    assert estate.get("session", token=other)


@pytest.mark.parametrize("token", ["x", "'; DROP TABLE login; --", "0" * 500])
def test_a_token_that_was_never_given_is_no_login(estate, token):
    is_problem(estate.ask("GET", "session", token=token), 401, "not-logged-in")


def test_tokens_are_never_the_same(estate):
    assert len({token_of(estate.log_in("operator")) for _ in range(3)}) == 3


@pytest.mark.parametrize("body", [{}, {"name": "operator"}, {"name": 1, "password": "x"}, {"name": "x" * 65, "password": "x"}])
def test_a_login_of_another_form_is_refused(estate, body):
    is_problem(estate.ask("POST", "session", None, json=body), 422, "bad-argument")


def test_a_password_is_stored_as_a_hash_that_is_dear_to_check():
    stored = auth.hash_password(PASSWORD)
    assert stored.startswith("$argon2id$")
    memory_kb = int(stored.split("m=")[1].split(",")[0])
    assert memory_kb >= 19 * 1024  # OWASP's least
    assert auth.hash_password(PASSWORD) != stored


def test_a_short_password_is_not_stored():
    with pytest.raises(BadArgumentError, match=f"at least {PASSWORD_MIN} characters"):
        auth.hash_password("x" * (PASSWORD_MIN - 1))


def test_a_role_that_is_not_in_the_table_is_unknown():
    with pytest.raises(UnknownError, match="unknown role: king"):
        permissions_of("king")
