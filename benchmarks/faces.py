"""Who is who among known people and strangers, by the face network of dlib.

- `orl_faces`: 20 people, 10 grey pictures each. All pairs: accepted where 0.1 % and 1 % of the
  pairs of two people are. Open set: people are dealt to known and strangers over and over; how
  many strangers are named, how many known people rightly.
- `deepface_pairs`: 300 pairs of 25 pictures, a smoke test.
- A video that is made of pictures, with a known person and a stranger: who is found, and when.
- Unknown tracks in groups, and what a face takes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._faces import (
    CONSENT,
    FACE_SIZES,
    ORL,
    PAIRS,
    Faces,
    encoder,
    finders,
    gallery_folder,
    made_video,
    open_set,
    orl,
    spoiled_tracks,
)
from benchmarks._harness import arguments, environment, finish, table
from vidfit.backbones import load
from vidfit.backbones.faces.finding import find_faces
from vidfit.backbones.package_weights import is_fetched, package_weights
from vidfit.contracts import Backbone, Clip
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.people.pairs import run_pairs
from vidfit.jobs.predict.by_task import AskedOfTask
from vidfit.jobs.predict.people.clusters import UnknownTrack, clustered
from vidfit.jobs.predict.people.run import run_people
from vidfit.jobs.predict.people.seen import FaceTrack
from vidfit.metrics.identities import TrueAccepts, b_cubed
from vidfit.metrics.measures import RankedScores
from vidfit.progress import SILENT
from vidfit.tasks.faces.gallery import gallery_of
from vidfit.tasks.faces.pictures import picture_of

STRANGERS_BAR, KNOWN_BAR = 0.03, 0.97
KNOWN, PICTURES = 10, 5
SIZES = (3, 5, 7, 10, 14)
SPANS = {"known": (1.0, 4.0), "stranger": (2.0, 5.6)}

Figures = dict[str, Any]


def main() -> None:
    options = arguments(__doc__).parse_args()
    start = environment()
    network = encoder()
    faces = orl(network)
    deals = 40 if options.quick else 300
    figures: Figures = {"faces": len(faces.vectors_MD), "no face": faces.missed}
    figures["pairs"] = _verification(faces)
    figures["open set"] = _open_set(faces, deals, options.quick)
    figures["clusters"] = _clusters(faces, 5 if options.quick else 50)
    figures["video"] = _video(options.quick)
    figures["milliseconds"] = _times(network)
    if not options.quick:
        figures["weights"] = _weights(network, faces)
        figures["finders"] = _finders()
    strangers, known = (figures["open set"][f"{KNOWN} known"]["vidfit"][i] for i in (0, 3))
    closest = figures["open set"][f"{KNOWN} known"]["closest match"][0]
    met = strangers <= STRANGERS_BAR and known >= KNOWN_BAR and figures["video"]["right"]
    headline = (
        f"orl_faces, {KNOWN} known people of 20: {strangers:.1%} of strangers named (bar "
        f"{STRANGERS_BAR:.0%}, closest match {closest:.0%}), {known:.1%} of known people named "
        f"rightly (bar {KNOWN_BAR:.0%}); the enrolled person of a video "
        f"{'found with times, the stranger unknown' if figures['video']['right'] else 'NOT found'}"
    )
    finish(options, figures, start, headline, met=met)


def _verification(faces: Faces) -> Figures:
    """All pairs of pictures, with intervals over people; and the smoke test."""
    alike = faces.vectors_MD @ faces.vectors_MD.T
    first, second = np.triu_indices(len(alike), 1)
    scores = alike[first, second].astype(np.float64)
    numbers = np.unique(faces.people_M, return_inverse=True)[1]
    same = numbers[first] == numbers[second]
    rng, count, shown = np.random.default_rng(0), len(faces.people), {}
    for share in (0.001, 0.01):
        drawn = [
            _tar(scores, same, np.bincount(rng.integers(0, count, count), minlength=count)[numbers],
                 (first, second), share)
            for _ in range(200)
        ]  # fmt: skip
        value = _tar(scores, same, np.ones(len(numbers)), (first, second), share)
        low, high = np.nanquantile(drawn, [0.025, 0.975])
        shown[f"TAR at FAR {share:.1%}"] = [value, float(low), float(high)]
    smoke = run_pairs(PAIRS, consent=CONSENT)
    table(
        ["all pairs of orl_faces", "TAR", "95 % over people"],
        [[name, f"{v:.1%}", f"[{low:.1%}, {high:.1%}]"] for name, (v, low, high) in shown.items()],
    )
    print(
        f"deepface_pairs: {smoke.pairs} pairs, accuracy {smoke.accuracy:.1%}, TAR "
        f"{smoke.accepted_at_1:.1%} at FAR 1 %"
    )
    return {**shown, "deepface accuracy": smoke.accuracy, "deepface TAR 1 %": smoke.accepted_at_1}


def _tar(scores: Any, same: Any, weight_M: Any, pair: Any, share: float) -> float:
    """Return the share accepted with each person counted as often as it was drawn."""
    weights = (weight_M[pair[0]] * weight_M[pair[1]]).astype(np.float64)
    kept = weights > 0
    rows = RankedScores(scores[kept][:, None], same[kept][:, None], np.arange(int(kept.sum())))
    return float(TrueAccepts("", share).figure(rows, weights[kept][None])[0])


def _open_set(faces: Faces, deals: int, quick: bool) -> Figures:
    cases = {f"{known} known": (known, PICTURES) for known in ((KNOWN,) if quick else SIZES)}
    if not quick:
        cases |= {f"{KNOWN} known, {n} pictures": (KNOWN, n) for n in (1, 2, 8)}
    found: Figures = {}
    rows = []
    for name, case in cases.items():
        found[name] = {}
        for rule, of in open_set(faces, *case, deals).items():
            named, right = np.array(of).T
            strangers = named.mean(), np.quantile(named, 0.9), named.max()
            figures = [*strangers, right.mean(), right.min()]
            found[name][rule] = [float(figure) for figure in figures]
            rows.append([f"{name}: {rule}", *(f"{figure:.1%}" for figure in figures)])
    headers = ["open set", "strangers named", "9 in 10", "worst", "known rightly", "worst"]
    table(headers, rows)
    return found


def _clusters(faces: Faces, rounds: int) -> Figures:
    """Group tracks of two pictures each, of people who are unknown."""
    rng, found = np.random.default_rng(0), []
    for _ in range(rounds):
        order = rng.permutation(faces.people)
        known = np.flatnonzero(np.isin(faces.people_M, order[:KNOWN]))
        person = np.unique(faces.people_M[known], return_inverse=True)[1]
        threshold = float(gallery_of(faces.vectors_MD[known], person, KNOWN).threshold_1[0])
        tracks, true = [], []
        for name in order[KNOWN:]:
            rows = rng.permutation(np.flatnonzero(faces.people_M == name))
            for pair in rows[: len(rows) // 2 * 2].reshape(-1, 2):
                total = faces.vectors_MD[pair].sum(axis=0)
                track = FaceTrack(len(tracks), len(tracks), total, 2.0, 2)
                tracks.append(UnknownTrack(name, len(tracks), track))
                true.append(name)
        found.append(b_cubed(clustered(tracks, threshold).tolist(), true))
    precision, recall, f = (float(np.mean(values)) for values in zip(*found, strict=True))
    print(f"groups of unknown tracks: B-cubed F {f:.3f} (precision {precision:.3f}, {recall:.3f})")
    return {"F": f, "precision": precision, "recall": recall}


def _video(quick: bool) -> Figures:
    """Enrol people from pictures, and ask who is in a video of other pictures."""
    people = sorted(path.name for path in ORL.iterdir() if path.is_dir())
    enrolled, stranger = people[: 7 if quick else KNOWN], people[-1]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = gallery_folder(folder / "people", enrolled, range(1, 5 if quick else 6))
        run_fit(source, folder / "out", FitOptions(task="faces", consent=CONSENT), SILENT)
        made_video(folder / "v.mp4", enrolled[2], stranger, (6, 7, 8, 9, 10))
        asked = AskedOfTask(
            str(folder / "out" / "model"), [Clip(str(folder / "v.mp4"))], ["v"], None, (), None,
            SILENT, {"i-have-consent": (CONSENT,)},
        )  # fmt: skip
        (told,) = list(run_people(asked))
    tracks = told.data["tracks"] if told.data else []
    spans = {
        who: _covered([t for t in tracks if (t["name"] == enrolled[2]) == (who == "known")], span)
        for who, span in SPANS.items()
    }
    names = {track["name"] for track in tracks}
    right = names == {enrolled[2], "unknown"} and min(spans.values()) >= 0.8
    print(f"video: named {', '.join(sorted(names))}; time in common with the truth {spans}")
    return {"right": right, "time in common": spans, "tracks": len(tracks)}


def _covered(tracks: list[dict[str, Any]], truth: tuple[float, float]) -> float:
    """Return the intersection over union of the time of tracks and the true span."""
    at = np.arange(0.0, 6.0, 0.01)
    told = np.zeros(len(at), bool)
    for track in tracks:
        told |= (at >= track["start_seconds"]) & (at < track["end_seconds"])
    true = (at >= truth[0]) & (at < truth[1])
    return round(float((told & true).sum() / (told | true).sum()), 3)


def _times(network: Backbone) -> Figures:
    """Milliseconds of finding and of seeing, in one thread."""
    picture = picture_of(str(sorted(ORL.glob("*/*.png"))[0]))
    wide = np.zeros((480, 640, 3), np.uint8)
    wide[100:212, 100:192] = picture
    face = find_faces(wide, 40)[0]
    view = np.ascontiguousarray(face.aligned_HWC[37:187, 37:187])
    torch_network = load("dlib-face")
    import dlib

    files = package_weights("dlib-face")
    own = dlib.face_recognition_model_v1(str(files["dlib_face_recognition_resnet_model_v1.dat"]))
    found = {
        "find, 640 x 480, faces of 40 pixels": _ms(lambda: find_faces(wide, 40)),
        "find, 640 x 480, faces of 80 pixels": _ms(lambda: find_faces(wide, 80)),
        "numbers, dlib": _ms(lambda: own.compute_face_descriptor(view)),
        "numbers, torch": _ms(lambda: torch_network.forward(view[None, None])),
        "numbers, engine": _ms(lambda: network.forward(view[None, None])),
    }
    ours = torch_network.forward(view[None, None])[0, 0]
    theirs = np.array(own.compute_face_descriptor(view))
    apart = float(np.abs(ours - theirs / np.linalg.norm(theirs)).max())
    table(["a face", "ms"], [[name, f"{ms:.1f}"] for name, ms in found.items()])
    print(f"largest difference between dlib's numbers and ours: {apart:.1e}")
    return {**found, "apart": apart}


def _ms(work: Callable[[], object], repeats: int = 7) -> float:
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken)) * 1000


def _finders() -> Figures:
    """Hold the finder of dlib against BlazeFace, where that was fetched."""
    if not is_fetched("blazeface-back"):
        print("blazeface-back is not on this machine: `vidfit models --fetch blazeface-back`")
        return {}
    found = finders()
    sizes = [f"found, {size} px" for size in FACE_SIZES]
    rows = [
        [name, *(f"{share:.0%}" for share in figures[:-1]), f"{figures[-1]:.0f}"]
        for name, figures in found.items()
    ]
    table(["finder", *sizes, "streets with one", "ms"], rows)
    return dict(found)


def _weights(network: Backbone, faces: Faces) -> Figures:
    found = spoiled_tracks(network, faces, 100)
    table(["faces of a track weighed by", "known named rightly"],
          [[name, f"{share:.1%}"] for name, share in found.items()])  # fmt: skip
    return found


if __name__ == "__main__":
    main()
