"""The next clip: in an order with a reason, and to one person only."""

from __future__ import annotations

import pytest

from vidfit.serve import queue
from vidfit.serve.labels import LabelWish, give
from vidfit.serve.queue import QueueWish


def ask(served, client=None, kind="run", **changes):
    body = {"library": served.library(kind), **changes}
    return (client or served.page).post("/v1/queue", json=body)


def names(served, response) -> list[str]:
    by_id = {one: name for name, one in served.ids().items()}
    return [by_id[item["clip"]] for item in response.json()["items"]]


def test_the_model_s_doubts_come_first_with_the_reason(served):
    found = ask(served, count=4)
    assert names(served, found) == [
        "left/left1.mp4", "right/right0.mp4", "right/right1.mp4", "left/left0.mp4"
    ]  # fmt: skip
    first = found.json()["items"][0]
    assert first["why"] == "it is labelled left, the model says right, 80 %"
    assert first["predicted"] == "right" and first["probability"] == 0.8
    assert found.json()["left"] == 0 and found.json()["done"] == 0


def test_two_people_never_have_the_same_clip(served):
    bob = served.browser("Bob")
    mine, his = names(served, ask(served)), names(served, ask(served, bob))
    assert len(mine) == len(his) == 2 and not set(mine) & set(his)
    assert names(served, ask(served)) == mine  # leased already: they come first
    assert names(served, ask(served, served.browser("Cy"))) == []


def test_a_lease_ends_and_a_label_ends_it(served):
    bob = served.browser("Bob")
    mine = ask(served, count=3).json()["items"]
    body = {"library": served.library("run"), "clips": [mine[0]["clip"]], "label": "left"}
    served.page.post("/v1/labels", json=body)
    served.service.store.write(lambda c: c.execute("UPDATE leases SET until = 0") and None)
    his = ask(served, bob, count=9).json()
    assert {item["clip"] for item in his["items"]} >= {one["clip"] for one in mine[1:]}
    assert mine[0]["clip"] not in {item["clip"] for item in his["items"]} and his["done"] == 1


def test_what_was_skipped_is_shown_to_others(served):
    bob = served.browser("Bob")
    (clip,) = [item["clip"] for item in ask(served, count=1).json()["items"]]
    body = {"library": served.library("run"), "clip": clip}
    assert served.page.post("/v1/queue/skip", json=body).status_code == 204
    assert clip not in {item["clip"] for item in ask(served, count=9).json()["items"]}
    given = [item["clip"] for item in ask(served, count=9).json()["items"]]
    assert served.page.post("/v1/queue/release", json={"clips": given}).status_code == 204
    assert ask(served, bob, count=1).json()["items"][0]["clip"] == clip


def test_random_orders_are_drawn_once_and_differ(served):
    library = served.service.libraries.get(served.library())
    drawn = [[one.clip for one in queue.ordered(library, how, None)] for how in ("random", "test")]
    assert sorted(drawn[0]) == sorted(drawn[1]) == sorted(library.ids)
    assert drawn[0] == [one.clip for one in queue.ordered(library, "random", None)]
    names = [str(one) for one in range(30)]  # of five clips, one in 120 pairs of orders is alike
    by = [
        sorted(names, key=lambda one, how=how: queue._drawn(one, how)) for how in ("random", "test")
    ]
    assert by[0] != by[1]


def test_a_list_of_vidfit_label_goes_first(served, tmp_path, videos):
    library = served.service.libraries.get(served.library())
    listed = tmp_path / "to-label.csv"
    rows = [("right/right1.mp4", "margin of 1 %"), ("left/left0.mp4", "typical")]
    text = "".join(
        f"{videos / name},,0.0,,g,{i},margin,{why}\n" for i, (name, why) in enumerate(rows)
    )
    listed.write_text("path,label,start_seconds,end_seconds,group,rank,method,why\n" + text)
    ids = served.ids()
    first = queue.ordered(library, "active", listed)[:2]
    assert [(one.clip, one.why) for one in first] == [(ids[name], why) for name, why in rows]


def test_spans_of_a_video_each_have_their_reason(served, tmp_path, videos):
    from vidfit.contracts import Clip
    from vidfit.serve.library import Library, clip_ids

    path = str(videos / "left" / "left0.mp4")
    spans = (Clip(path, 0.0, 0.5), Clip(path, 0.5, 1.25), Clip(path, 1.25))
    library = Library("1" * 12, "spans", "videos", tmp_path, spans, clip_ids(spans))
    listed = tmp_path / "to-label.csv"
    rows = "".join(
        f"{path};;{clip.start_seconds};{clip.end_seconds or ''};reason {number}\n"
        for number, clip in enumerate(spans)
    )
    for between in ";,":  # spreadsheets save either
        head = "path;label;start_seconds;end_seconds;why\n"
        listed.write_text((head + rows).replace(";", between))
        first = queue.ordered(library, "active", listed)
        assert [one.why for one in first] == ["reason 0", "reason 1", "reason 2"]


def test_eight_people_label_many_clips_and_none_twice(served, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    from vidfit.contracts import Clip
    from vidfit.serve.library import Library

    clips = {f"{i:016x}": Clip(f"/v/{i}.mp4") for i in range(400)}
    library = Library("1" * 12, "many", "videos", tmp_path, (*clips.values(),), (*clips,))
    order = queue.ordered(library, "random", None)
    store, closed = served.service.store, served.service.closed

    def work(person: str) -> list[str]:
        done = []
        while items := queue.lease(
            store, library, order, QueueWish(library.id), person, closed
        ).items:
            one = items[0].clip
            give(store, {one: clips[one]}, LabelWish(library.id, (one,), "label", "a"), person)
            done.append(one)
        return done

    with ThreadPoolExecutor(8) as pool:
        done = [one for found in pool.map(work, map(str, range(8))) for one in found]
    assert len(done) == len(set(done)) == 400


@pytest.mark.parametrize(
    "changes", [{"count": 0}, {"count": 51}, {"lease_seconds": 0}, {"order": "evil"}]
)
def test_what_cannot_be_leased_is_refused(served, changes):
    assert ask(served, **changes).status_code == 422
