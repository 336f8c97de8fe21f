"""Who is let in, from where, and what every answer says to browsers."""

from __future__ import annotations

import pytest
from tests.serve.conftest import ADDRESS, PAGE

from vidfit.serve.app import ENDPOINTS, build
from vidfit.serve.guard import HEADERS

OPEN = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/login"), ("POST", "/v1/session")}


def routes(service) -> set[tuple[str, str]]:
    """Return methods and paths as the router has them, with an id in place of each part."""
    inner = build(service)._app
    found = {(m, route.path) for route in inner.routes for m in route.methods - {"HEAD"}}
    assert found >= {(one.method, one.path) for one in ENDPOINTS}
    return found


def test_every_route_wants_a_login_but_those_that_say_so(served):
    stranger, answers = served.program(), {}
    for method, path in routes(served.service):
        at = path.replace("{name:path}", "start.js").replace("{", "").replace("}", "")
        answers[method, path] = stranger.request(method, at, headers=PAGE).status_code
    assert {at for at, status in answers.items() if status != 401} == OPEN
    assert answers["GET", "/login"] == 422 and answers["POST", "/v1/session"] == 415
    assert stranger.get("/nothing/here").status_code == 401


def test_open_routes_are_those_that_are_meant_to_be():
    assert {(one.method, one.path) for one in ENDPOINTS if one.is_open} == OPEN


@pytest.mark.parametrize("host", ["evil", "evil.example:8321", "localhost.evil", "x@localhost", ""])
def test_another_host_is_misdirected(served, host):
    response = served.page.get("/v1/libraries", headers={"host": host})
    assert response.status_code == 421
    assert served.page.get("/healthz", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:99", "[::1]:8321", "LOCALHOST:1"])
def test_this_machine_goes_by_several_names(served, host):
    assert served.page.get("/v1/libraries", headers={"host": host}).status_code == 200


def test_names_that_were_allowed_are_hosts(serve):
    page = serve(allow_hosts=("Videos.example",)).page
    assert page.get("/healthz", headers={"host": "videos.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": ""},
        {"origin": "null", "sec-fetch-site": ""},
        {"origin": "http://localhost:9999", "sec-fetch-site": ""},
        {"origin": ADDRESS, "sec-fetch-site": "cross-site"},
        {"origin": "", "sec-fetch-site": "same-site"},
        {"origin": "", "sec-fetch-site": ""},
    ],
)
def test_a_write_of_another_page_is_refused(served, headers):
    body = {"clips": [next(iter(served.ids().values()))]}
    sent = {name: value for name, value in headers.items() if value}
    for name in PAGE:
        del served.page.headers[name]
    assert served.page.post("/v1/previews", json=body, headers=sent).status_code == 403
    assert served.page.post("/v1/previews", json=body, headers=PAGE).status_code == 200


def test_no_other_origin_may_read(served):
    response = served.page.get("/v1/libraries", headers={"origin": "https://evil.example"})
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    before = served.page.options("/v1/previews", headers=asked)
    assert before.status_code == 405
    for one in (response, before):
        assert not [name for name in one.headers if name.startswith("access-control")]


def test_every_answer_carries_the_policy(served):
    for path in ("/", "/v1/libraries", "/healthz", "/nothing", "/static/start.js"):
        headers = served.page.get(path).headers
        assert {name: headers[name] for name, _ in HEADERS} == dict(HEADERS)
    refused = served.program().get("/v1/libraries")
    assert "frame-ancestors 'none'" in refused.headers["content-security-policy"]
    assert "script-src 'self';" in refused.headers["content-security-policy"]
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert refused.headers["cache-control"] == "no-store"


def test_read_only_takes_no_write(serve):
    served = serve(read_only=True)
    body = {"clips": [next(iter(served.ids().values()))]}
    assert served.page.post("/v1/previews", json=body).status_code == 403
    assert served.page.get("/v1/session").json() == {"person": "me", "read_only": True}
    assert served.page.delete("/v1/session").status_code == 204


def test_a_browser_is_told_where_to_log_in(served):
    response = served.program().get("/", headers={"accept": "text/html,*/*"})
    assert response.status_code == 401 and "Open the address" in response.text
