"""What the benchmark of faces looks at: pictures of people, their vectors, a video made of them."""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from vidfit.backbones import load
from vidfit.backbones.faces.finding import FoundFace, find_faces
from vidfit.backbones.faces.window import seen_by
from vidfit.backbones.package_weights import package_weights
from vidfit.backbones.tfjs import read_tfjs
from vidfit.contracts import Backbone, Floats, Frames
from vidfit.runtime import accelerate
from vidfit.tasks.faces.gallery import gallery_of
from vidfit.tasks.faces.pictures import picture_of
from vidfit.video import write_video

SHARED = Path(__file__).parents[2] / "shared" / "data"
ORL = SHARED / "orl_faces"
PAIRS = SHARED / "deepface_pairs" / "pairs.csv"
CONSENT = "a benchmark on pictures that were published for research"
SMALLEST = 30
CAMVID = SHARED / "camvid"
FACE_SIZES = (35, 50, 70, 100)

Deal = tuple[float, float]


@dataclass(frozen=True)
class Faces:
    """Vectors [M, D] of pictures, whose they are [M], and how many pictures have no face."""

    vectors_MD: Floats
    people_M: np.ndarray
    missed: int

    @property
    def people(self) -> list[str]:
        return sorted(set(self.people_M.tolist()))


def encoder() -> Backbone:
    return accelerate(load("dlib-face"))


def vector_of(network: Backbone, face: FoundFace) -> Floats:
    return network.forward(seen_by(network, face.aligned_HWC)[None])[0, 0]


def orl(network: Backbone) -> Faces:
    """Return the vectors of all pictures of the AT&T people."""
    vectors, people, missed = [], [], 0
    for path in sorted(ORL.glob("*/*.png")):
        found = find_faces(picture_of(str(path)), SMALLEST)
        missed += not found
        if found:
            vectors.append(vector_of(network, found[0]))
            people.append(path.parent.name)
    return Faces(np.stack(vectors), np.array(people), missed)


def open_set(
    faces: Faces, known: int, pictures: int, deals: int, seed: int = 0
) -> dict[str, list[Deal]]:
    """Return by rule the shares of strangers named, and of known people named rightly, by deal.

    People are dealt to known and strangers, and the pictures of the known to the gallery and to
    what is asked. No stranger is seen by any threshold.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, list[Deal]] = defaultdict(list)
    for _ in range(deals):
        order = rng.permutation(faces.people)
        rows = [rng.permutation(np.flatnonzero(faces.people_M == name)) for name in order]
        enrolled = np.concatenate([of[:pictures] for of in rows[:known]])
        asked = np.concatenate([of[pictures:] for of in rows[:known]])
        strangers = np.concatenate(rows[known:])
        number = {name: k for k, name in enumerate(order)}
        person_M = np.array([number[name] for name in faces.people_M])
        gallery = gallery_of(faces.vectors_MD[enrolled], person_M[enrolled], known)
        own = float(gallery.threshold_1[0])
        alike, other = (
            gallery.log_probabilities([faces.vectors_MD[of]]) + own for of in (asked, strangers)
        )
        right = alike.argmax(axis=1) == person_M[asked]
        for rule, threshold in rules(own).items():
            named = float((other.max(axis=1) >= threshold).mean())
            found[rule].append((named, float(((alike.max(axis=1) >= threshold) & right).mean())))
    return found


def rules(own: float) -> dict[str, float]:
    """Return by rule the similarity from which somebody is named."""
    return {
        "closest match": -2.0,
        "distance 0.6 (dlib)": 1 - (0.6 / 1.42) ** 2 / 2,
        "cosine 0.07 (deepface)": 0.93,
        "vidfit": own,
    }


# ------------------------------------------------------------------ finders


def finders(count: int = 100) -> dict[str, list[float]]:
    """Return by finder the shares of faces that are found, by size, and of streets with a "face".

    Faces stand on a grey ground of 640 x 480. BlazeFace is the network for the back camera.
    """
    pictures = [picture_of(str(path)) for path in sorted(ORL.glob("*/*.png"))[::2][:count]]
    streets = [picture_of(str(path)) for path in sorted(CAMVID.glob("*/*.jpg"))[::12]]
    ways = {"dlib": lambda frame: bool(find_faces(frame)), "blazeface-back": blazeface()}
    found: dict[str, list[float]] = {}
    for name, finds in ways.items():
        shares = [np.mean([finds(_on_ground(p, size)) for p in pictures]) for size in FACE_SIZES]
        wrong = np.mean([finds(street) for street in streets])
        frame = _on_ground(pictures[0], 70)
        started = time.perf_counter()
        for _ in range(5):
            finds(frame)
        seconds = (time.perf_counter() - started) / 5
        found[name] = [*map(float, shares), float(wrong), 1000 * seconds]
    return found


def blazeface() -> Callable[[Frames], bool]:
    """Return whether BlazeFace finds a face with a score of a half."""
    files = package_weights("blazeface-back").values()
    graph, weights = sorted(files, key=lambda path: path.suffix == ".bin")
    network = read_tfjs(graph, weights, ("Identity", "Identity_1")).eval()

    def finds(frame: Frames) -> bool:
        height, width = frame.shape[:2]
        square = np.zeros((max(height, width),) * 2 + (3,), np.uint8)
        square[:height, :width] = frame
        small = cv2.resize(square, (256, 256), interpolation=cv2.INTER_AREA)
        with torch.inference_mode():
            scores = network(torch.tensor(small)[None].float() / 127.5 - 1)
        return max(float(score.max()) for score in scores) > 0

    return finds


def _on_ground(picture: Frames, face_pixels: int) -> Frames:
    """Return a picture of a face of that size on a grey ground."""
    frame = np.full((480, 640, 3), 128, np.uint8)
    scale = face_pixels / 70
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame[60 : 60 + small.shape[0], 90 : 90 + small.shape[1]] = small
    return frame


# ------------------------------------------------------------------ tracks with spoiled pictures


def spoiled_tracks(network: Backbone, faces: Faces, deals: int) -> dict[str, float]:
    """Return by weight the share of known people whose track is named rightly.

    A track has two pictures as they are and six that are small, blurred or noisy.
    """
    rng = np.random.default_rng(1)
    seen = _spoiled(network, rng)
    clean = {name: faces.vectors_MD[faces.people_M == name] for name in faces.people}
    weights = {
        "none": lambda score, side, sharp: 1.0,
        "how sure the finder is": lambda score, side, sharp: score - 0.4,
        "sharpness": lambda score, side, sharp: sharp,
        "size": lambda score, side, sharp: side,
    }
    right: dict[str, list[bool]] = defaultdict(list)
    for _ in range(deals):
        order = rng.permutation(faces.people)[:10]
        dealt = [rng.permutation(clean[name]) for name in order]
        enrolled = np.concatenate([of[:4] for of in dealt])
        gallery = gallery_of(enrolled, np.repeat(np.arange(10), 4), 10)
        for k, name in enumerate(order):
            how = str(rng.choice(["small", "blurred", "noisy"]))
            rows = seen[name, how]
            some = [rows[i] for i in rng.permutation(len(rows))[:6]]
            plain = [(vector, (1.0, 70.0, 290.0)) for vector in dealt[k][4:6]]
            for weight, function in weights.items():
                w = np.array([function(*facts) for _, facts in [*plain, *some]])
                x_D = np.average([vector for vector, _ in [*plain, *some]], axis=0, weights=w)
                over_K = gallery.log_probabilities([x_D[None].astype(np.float32)])[0]
                right[weight].append(bool(over_K.argmax() == k and over_K.max() >= 0))
    return {weight: float(np.mean(hits)) for weight, hits in right.items()}


def _spoiled(network: Backbone, rng: np.random.Generator) -> dict[tuple[str, str], list]:
    found: dict[tuple[str, str], list] = defaultdict(list)
    for path in sorted(ORL.glob("*/*.png")):
        picture = picture_of(str(path))
        scale = rng.uniform(0.3, 0.5)
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        noisy = np.clip(picture + rng.normal(0, 25, picture.shape), 0, 255).astype(np.uint8)
        ways = {
            "small": (small, SMALLEST / 2),
            "blurred": (cv2.GaussianBlur(picture, (0, 0), rng.uniform(1.5, 3.5)), SMALLEST),
            "noisy": (noisy, SMALLEST),
        }
        for how, (spoiled, smallest) in ways.items():
            for face in find_faces(spoiled, smallest)[:1]:
                grey = cv2.cvtColor(face.aligned_HWC, cv2.COLOR_RGB2GRAY)
                facts = face.score, face.side_pixels, float(cv2.Laplacian(grey, cv2.CV_64F).var())
                found[path.parent.name, how].append((vector_of(network, face), facts))
    return found


# ------------------------------------------------------------------ a video and its gallery


def gallery_folder(folder: Path, people: Sequence[str], pictures: Sequence[int]) -> Path:
    """Copy pictures of people to a folder for each."""
    for name in people:
        (folder / name).mkdir(parents=True)
        for i in pictures:
            shutil.copy(ORL / name / f"{i:02d}.png", folder / name)
    return folder


def made_video(path: Path, known: str, stranger: str, pictures: Sequence[int]) -> None:
    """Write 6 s in which a known person is seen from 1 to 4 s, a stranger from 2 to 5.6 s."""
    rng = np.random.default_rng(0)
    grain = np.clip(rng.normal(120, 8, (60, 80, 3)), 0, 255).astype(np.uint8)
    ground = cv2.resize(grain, (640, 480), interpolation=cv2.INTER_CUBIC)

    def frames() -> Iterator[Frames]:
        for t in range(150):
            frame = np.roll(ground, t, 1).copy()
            if 25 <= t < 100:
                _put(frame, known, pictures[t // 15 % len(pictures)], 20 + 3 * (t - 25), 60)
            if 50 <= t < 140:
                _put(frame, stranger, 1 + t // 15 % 10, 470 - int(1.5 * (t - 50)), 270)
            yield frame

    write_video(path, frames(), 25)


def _put(frame: Frames, name: str, picture: int, left: int, top: int) -> None:
    face = cv2.resize(picture_of(str(ORL / name / f"{picture:02d}.png")), (150, 183))
    frame[top : top + 183, left : left + 150] = face
