"""One writer: nothing is lost, nothing waits for a lock."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from functools import partial

import pytest

from vidfit.errors import StoreError
from vidfit.serve.store import ADDED_ONLY, VERSION, Store


def add(connection, name: str = "a") -> int:
    row = (name, "Ann", 0.0)
    return connection.execute("INSERT INTO keys VALUES (?, ?, ?)", row).rowcount


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "x.db")
    yield store
    store.close()


def test_what_was_written_is_read_back_after_a_restart(tmp_path):
    store = Store(tmp_path / "x.db")
    assert store.write(add) == 1
    store.close()
    again = Store(tmp_path / "x.db")
    assert again.rows("SELECT digest FROM keys") == [("a",)]
    again.close()


def test_many_threads_write_and_read_at_once(store):
    def work(number: int) -> None:
        for i in range(20):
            store.write(partial(add, name=f"{number}-{i}"))
            assert store.rows("SELECT 1 FROM keys WHERE digest = ?", (f"{number}-{i}",))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.rows("SELECT count(*) FROM keys") == [(160,)]


def test_a_change_that_fails_takes_no_other_with_it(store):
    def wrong(connection) -> None:
        add(connection, "half")
        raise ValueError("no")

    outcomes = []

    def ask(change) -> None:
        try:
            outcomes.append(store.write(change))
        except ValueError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=ask, args=(c,)) for c in (add, wrong)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["1", "no"]
    assert store.rows("SELECT digest FROM keys") == [("a",)]


def test_what_reads_cannot_write(store):
    with store.read() as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        add(connection)


def test_every_commit_waits_for_the_disk(store):
    pragmas = ("journal_mode", "synchronous")
    seen = store.write(lambda c: [c.execute(f"PRAGMA {p}").fetchone()[0] for p in pragmas])
    assert seen == ["wal", 2]  # FULL


KILLED = """
import sys
from pathlib import Path
from vidfit.serve.store import Store
store = Store(Path(sys.argv[1]))
for i in range(100_000):
    store.write(lambda c: c.execute("INSERT INTO keys VALUES (?, 'Ann', 0.0)", (str(i),)) and None)
    print(i, flush=True)
"""


def test_what_was_acknowledged_outlives_a_kill(tmp_path):
    path = tmp_path / "x.db"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    )
    lines = [process.stdout.readline() for _ in range(40)]
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.readlines()
    process.wait(10)
    process.stdout.close()
    store = Store(path)
    kept = {digest for (digest,) in store.rows("SELECT digest FROM keys")}
    store.close()
    acknowledged = {line.strip() for line in lines if line.endswith("\n")}
    assert len(acknowledged) >= 40 and acknowledged <= kept


def test_after_the_end_nothing_is_taken(tmp_path):
    store = Store(tmp_path / "x.db")
    store.close()
    with pytest.raises(StoreError, match="stopping"):
        store.write(add)


def test_what_is_no_database_of_ours_is_refused(tmp_path):
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(StoreError, match="cannot open"):
        Store(tmp_path / "text.db")
    with sqlite3.connect(tmp_path / "new.db") as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(StoreError, match="newer vidfit"):
        Store(tmp_path / "new.db")


@pytest.mark.parametrize("table", sorted(ADDED_ONLY))
def test_what_people_said_is_only_ever_added_to(store, table):
    columns = {
        "labels": "(clip, person, kind, label, batch, sample, accepted, at)"
        " VALUES ('c', 'Ann', 'label', 'a', 'b', '', 0, 0.0)",
        "spans": "(id, clip, person, label, removed, at) VALUES ('s', 'c', 'Ann', 'a', 0, 0.0)",
        "boxes": "(id, clip, frame, person, kind, label, ignored, batch, at)"
        " VALUES ('x', 'c', 0, 'Ann', 'drawn', 'a', 0, 'b', 0.0)",
    }[table]
    store.write(lambda connection: connection.execute(f"INSERT INTO {table} {columns}").rowcount)
    for change in (
        f"UPDATE {table} SET label = 'other'",
        f"DELETE FROM {table}",
        f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="only added"):
            store.write(lambda connection, said=change: connection.execute(said).rowcount)
    assert store.rows(f"SELECT label FROM {table}") == [("a",)]
    assert store.write(add) == 1


def test_an_earlier_database_gets_what_is_new(tmp_path):
    store = Store(tmp_path / "x.db")
    add_one = "INSERT INTO keys VALUES ('digest', 'Ann', 0)"
    store.write(lambda connection: connection.execute(add_one) and None)
    store.close()
    with sqlite3.connect(tmp_path / "x.db") as connection:  # as the first version was
        connection.execute("DROP TABLE boxes")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    store = Store(tmp_path / "x.db")
    assert store.rows("SELECT person FROM keys") == [("Ann",)]
    assert store.rows("SELECT count(*) FROM boxes") == [(0,)]
    assert store.rows("PRAGMA user_version") == [(VERSION,)]
    store.close()
