"""Sessions and keys: how they are opened, kept and ended."""

from __future__ import annotations

import hashlib
import sqlite3

import pytest

from vidfit.errors import VidfitError
from vidfit.serve.people import LOGINS, SESSION_SECONDS, People, make_key, remove_keys
from vidfit.serve.problems import ProblemError
from vidfit.serve.store import Store

TOKEN = "t" * 32


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "x.db")
    yield store
    store.close()


def test_the_address_gives_a_cookie_that_scripts_and_other_sites_do_not_get(served):
    response = served.program().get("/login", params={"token": served.service.token})
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "secure" not in cookie
    assert served.service.token not in response.text


def test_behind_https_the_cookie_is_sent_over_it_only(serve):
    served = serve(secure_cookies=True)
    response = served.program().get("/login", params={"token": served.service.token})
    assert "secure" in response.headers["set-cookie"].lower()


def test_a_program_logs_in_by_a_request_and_out_again(served):
    program = served.program()
    body = {"token": served.service.token, "person": "Bot"}
    headers = {"sec-fetch-site": "none"}
    assert program.post("/v1/session", json=body, headers=headers).status_code == 201
    assert program.get("/v1/session").json()["person"] == "Bot"
    secret = program.cookies[served.service.cookie]
    assert program.delete("/v1/session", headers=headers).status_code == 204
    program.cookies.set(served.service.cookie, secret)
    assert program.get("/v1/session").status_code == 401


def test_a_wrong_token_is_refused(served):
    program = served.program()
    assert program.get("/login", params={"token": "x" * 32}).status_code == 401
    assert program.get("/v1/libraries").status_code == 401


def test_failed_logins_must_wait_after_five_a_minute(store):
    clock = Clock()
    people = People(store, TOKEN, clock)
    for _ in range(LOGINS):
        with pytest.raises(ProblemError) as refused:
            people.enter("wrong", "me", "10.0.0.1")
        assert refused.value.status == 401
    with pytest.raises(ProblemError) as refused:
        people.enter(TOKEN, "me", "10.0.0.1")
    assert refused.value.status == 429 and refused.value.headers["Retry-After"] == "60"
    assert people.enter(TOKEN, "me", "10.0.0.2").person == "me"
    clock.now += 61
    assert people.enter(TOKEN, "me", "10.0.0.1").person == "me"


def test_a_session_ends(store):
    clock = Clock()
    people = People(store, TOKEN, clock)
    secret = people.enter(TOKEN, "Ann", "").secret
    assert people.of_session(secret) == "Ann"
    clock.now += SESSION_SECONDS + 1
    assert people.of_session(secret) is None


def test_secrets_are_kept_as_digests(store):
    key, secret = make_key(store, "Bot"), People(store, TOKEN).enter(TOKEN, "Ann", "").secret
    with sqlite3.connect(store.path) as connection:
        kept = "".join(connection.iterdump())
    assert key not in kept and secret not in kept and TOKEN not in kept
    assert hashlib.sha256(key.encode()).hexdigest() in kept


def test_a_key_lets_a_program_in_until_it_is_removed(served):
    key = make_key(served.service.store, "Bot")
    program = served.program()
    program.headers["authorization"] = f"Bearer {key}"
    assert program.get("/v1/session").json()["person"] == "Bot"
    clip = next(iter(served.ids().values()))
    assert program.post("/v1/previews", json={"clips": [clip]}).status_code == 200
    assert remove_keys(served.service.store, "Bot") == 1
    assert program.get("/v1/session").status_code == 401


def test_another_key_is_refused_even_with_a_good_cookie(served):
    headers = {"authorization": "Bearer vidfit_no"}
    assert served.page.get("/v1/session", headers=headers).status_code == 401


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "a\0"])
def test_a_name_that_is_none_is_refused(store, name):
    with pytest.raises(VidfitError, match="1 to 64 printable"):
        make_key(store, name)
    with pytest.raises(ProblemError) as refused:
        People(store, TOKEN).enter(TOKEN, name, "")
    assert refused.value.status == 422


def test_others_cannot_read_the_database(store):
    assert store.path.stat().st_mode & 0o077 == 0
