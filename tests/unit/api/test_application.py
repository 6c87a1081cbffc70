"""The application as a whole: problems, headers, schema, health, metrics, the portal's files."""

import json
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from nyala.api import application, problems
from nyala.api.application import PREFIX, SECURITY
from nyala.api.problems import DETAIL_MAX, PROBLEMS
from nyala.vocab import errors
from tests.unit.api.estate import is_problem
from tests.unit.api.test_permissions import ASKED, ONLY_LOGGED_IN

# -- problems


def raising(error):
    """An application that answers everything with an error."""
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    def get_nothing():
        raise error

    return TestClient(app).get("/")


@pytest.mark.parametrize("kind", PROBLEMS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_table_is_its_problem(kind):
    error = kind("meter", 7) if kind is errors.UnknownError else kind("what, where and whose")
    status, name = PROBLEMS[kind]
    assert is_problem(raising(error), status, name)["detail"] == str(error)


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [(errors.FileError("bad", path="f", line=3), 422, "bad-input"), (errors.TelegramError("bad"), 422, "bad-input")],
)
def test_an_error_that_is_a_kind_of_another_is_its_problem(error, status, name):
    assert is_problem(raising(error), status, name)["detail"] == str(error)


def test_a_long_story_is_cut():
    assert len(is_problem(raising(errors.ConflictError("x" * 9_999)), 409, "conflict")["detail"]) == DETAIL_MAX


def test_every_error_of_callers_and_strangers_has_a_problem():
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.NyalaError) and kind is not errors.NyalaError:
            assert any(issubclass(kind, each) or issubclass(each, kind) for each in PROBLEMS), kind


@pytest.mark.parametrize("path", ["meters/x", "meters/1.5", "commands/one", "bills/x", "bills/1/lines/x/intervals"])
def test_an_address_with_another_kind_of_number_is_refused(readonly, path):
    is_problem(readonly.ask("GET", path), 422, "bad-argument")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"kind": "read"'])
def test_a_body_that_is_no_json_object_is_refused(readonly, body):
    headers = {"Content-Type": "application/json", "Idempotency-Key": "key-0001"}
    is_problem(readonly.ask("POST", "meters/1/commands", content=body, headers=headers), 422, "bad-argument")


# -- headers


@pytest.mark.parametrize(
    ("path", "who"),
    [("fleet", None), ("meters", "viewer"), ("meters/99", "viewer"), ("meters/x", "viewer"), ("/health", None), ("/", None)],
)
def test_every_answer_carries_the_security_headers(readonly, path, who):
    headers = readonly.ask("GET", path, who).headers
    for name, value in SECURITY:
        assert headers.get_list(name.decode()) == [value.decode()]
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy


# -- schema


def test_the_schema_is_valid_and_contains_every_route(readonly):
    schema = readonly.get(f"{PREFIX}/openapi.json", None)
    assert schema["openapi"].startswith("3.1")
    listed = {(method.upper(), path) for path, methods in schema["paths"].items() for method in methods}
    expected = {(method, PREFIX + path) for method, path in (*ASKED, *ONLY_LOGGED_IN)}
    assert listed == expected | {("POST", f"{PREFIX}/session"), ("GET", "/health")}


def test_every_reference_of_the_schema_leads_somewhere(readonly):
    text = json.dumps(schema := readonly.get(f"{PREFIX}/openapi.json", None))
    names = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert names
    assert names <= set(schema["components"]["schemas"])


def test_every_operation_is_named_once_and_described(readonly):
    schema = readonly.get(f"{PREFIX}/openapi.json", None)
    operations = [operation for methods in schema["paths"].values() for operation in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(operation["description"] and operation["responses"] for operation in operations)


def test_there_is_no_page_that_loads_from_elsewhere(readonly):
    for path in ("/docs", "/redoc"):
        assert "cdn" not in readonly.ask("GET", path, None).text


# -- health and metrics


def test_health_tells_that_the_store_answers(readonly):
    health = readonly.get("/health", None)
    assert (health["status"], health["meters"]) == ("ok", 4)
    assert set(health) == {"status", "version", "now_s", "meters"}


def test_metrics_are_counters_of_the_centre_and_tell_nothing_of_customers(estate):
    estate.running.headend.counts["uplinks"] = 5
    estate.running.udp.counts["bad_datagram"] = 2
    text = estate.ask("GET", "/metrics", None).text
    assert 'nyala_headend_events_total{kind="uplinks"} 5.0' in text
    assert 'nyala_gateway_events_total{kind="bad_datagram"} 2.0' in text
    assert "nyala_meters 4.0" in text
    assert "nyala_sessions 1.0" in text
    assert "Sri" not in text


# -- the portal


@pytest.fixture
def portal(tmp_path, monkeypatch):
    """A client of an application whose portal is three files, with a secret beside them."""
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<title>portal</title>")
    (static / "favicon.svg").write_text("<svg/>")
    (static / "assets" / "app.js").write_text("// app")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "static2").mkdir()
    (tmp_path / "static2" / "secret.txt").write_text("secret")
    (static / "link.txt").symlink_to(tmp_path / "secret.txt")
    monkeypatch.setattr(application, "STATIC", static)
    app = FastAPI()
    problems.install(app)
    application._install_portal(app)
    return TestClient(app)


@pytest.mark.parametrize("path", ["/", "/meters/7", "/bills", "/a/b/c", "/index.html"])
def test_every_address_of_the_portals_own_is_its_page(portal, path):
    response = portal.get(path)
    assert (response.status_code, response.text) == (200, "<title>portal</title>")
    assert response.headers["cache-control"] == "no-cache"


def test_files_of_the_portal_are_given(portal):
    assert portal.get("/favicon.svg").text == "<svg/>"
    assert portal.get("/assets/app.js").text == "// app"
    assert portal.get("/assets/other.js").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/x/..%2f..%2fsecret.txt",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/..%2fstatic2/secret.txt",
        "/..\\secret.txt",
        "/link.txt",
    ],
)
def test_nothing_outside_the_portal_is_given(portal, path):
    response = portal.get(path)
    assert "secret" not in response.text
    assert "root:" not in response.text
    assert response.status_code in {200, 404}


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/", "/api/v2/meters"])
def test_an_address_of_the_api_that_is_not_there_is_unknown_and_no_page(portal, path):
    assert is_problem(portal.get(path), 404, "unknown")["detail"] == f"unknown address: {path}"


def test_without_a_built_portal_the_page_says_how_to_build_it(tmp_path, monkeypatch):
    monkeypatch.setattr(application, "STATIC", tmp_path)
    app = FastAPI()
    application._install_portal(app)
    response = TestClient(app).get("/")
    assert (response.status_code, "make setup-demo" in response.text) == (503, True)
