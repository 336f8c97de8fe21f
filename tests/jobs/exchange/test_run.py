"""A model arrives whole or not at all, and nothing that travels with it can do harm."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest
from tests.test_model import example

from vidfit.errors import ModelError
from vidfit.jobs.exchange.run import run_pull, run_push
from vidfit.model import load_model, save_model

NAMES = ("one", "org/two")


def write_member(index: int, folder: Path) -> None:
    (folder / "network.onnx").write_bytes(bytes([index]) * 100)
    (folder / "spec.json").write_text(json.dumps({"index": index}))


@pytest.fixture
def model(tmp_path) -> Path:
    save_model(example(), tmp_path / "model", write_member)
    return tmp_path / "model"


@pytest.fixture
def pushed(model, tmp_path) -> Path:
    run_push(model, str(tmp_path / "shared"))
    return tmp_path / "shared"


def rewrite(directory: Path, **changes) -> None:
    path = directory / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def listed(directory: Path) -> dict[str, str]:
    return json.loads((directory / "model.json").read_text())["files"]


class Told:
    """A progress that can look at, or stop, what it is told of."""

    def __init__(self, each=lambda count: None):
        self.stages, self.count, self.each = [], 0, each

    def start(self, stage, total):
        self.stages.append((stage, total))

    def advance(self, count=1):
        self.count += count
        self.each(self.count)

    def note(self, text):
        pass


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize("kind", ["folder", "file", "memory"])
def test_a_model_goes_there_and_comes_back(model, tmp_path, kind):
    name = uuid.uuid4().hex
    place = {
        "folder": str(tmp_path / "deep" / name),
        "file": f"file://{tmp_path}/{name}",
        "memory": f"memory://{name}/model/",
    }[kind]
    told = Told()
    run_push(model, place, told)
    run_pull(place, tmp_path / "back" / "model", told)
    back = tmp_path / "back" / "model"
    assert load_model(back).card == load_model(model).card
    for file in listed(model):
        assert (back / file).read_bytes() == (model / file).read_bytes()
    with fsspec.open(f"{place.rstrip('/')}/README.md", "rt") as readme:
        assert "library_name: vidfit" in readme.read()
    assert told.stages == [("push", 7), ("pull", 5)] and told.count == 12
    assert [path.name for path in back.parent.iterdir()] == ["model"]


def test_only_what_is_named_is_pulled(pushed, tmp_path):
    (pushed / "evil.py").write_text("raise SystemExit")
    (pushed / "backbones" / "0" / "extra.json").write_text("{}")
    run_pull(str(pushed), tmp_path / "back")
    found = {
        path.relative_to(tmp_path / "back").as_posix()
        for path in (tmp_path / "back").rglob("*")
        if path.is_file()
    }
    assert found == {"model.json", *listed(pushed)}


# ---------------------------------------------------------------- never half


@pytest.mark.parametrize("before", ["nothing", "another model"])
def test_no_reader_takes_half_a_model_for_a_whole_one(model, tmp_path, before):
    place = tmp_path / "shared"
    if before == "another model":
        save_model(example(temperature=9.0), place, write_member)

    def look(count):
        if count < 7:
            with pytest.raises(ModelError, match=r"damaged.*copy it again"):
                load_model(place)
            with pytest.raises(ModelError, match=r"half a model.*push again"):
                run_pull(str(place), tmp_path / "back")

    run_push(model, str(place), Told(look))
    assert load_model(place).temperature == example().temperature
    assert not (tmp_path / "back").exists()


def test_a_push_that_was_stopped_goes_on(model, tmp_path):
    def stop(count):
        if count == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_push(model, str(tmp_path / "shared"), Told(stop))
    run_push(model, str(tmp_path / "shared"))
    assert load_model(tmp_path / "shared").members == example().members


def test_what_is_no_model_is_not_written_to(model, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    with pytest.raises(ModelError, match=r"no model: it holds thesis\.tex; choose another"):
        run_push(model, str(tmp_path / "mine"))
    with pytest.raises(ModelError, match="exists and is no model"):
        run_pull(str(model), tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


DAMAGE = {
    "truncated": lambda content: content[:-1],
    "altered": lambda content: content[:-2] + bytes([content[-2] ^ 1]) + content[-1:],
    "emptied": lambda content: b"",
    "missing": lambda content: None,
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(
    "name", ["backbones/0/network.onnx", "backbones/1/spec.json", "head.safetensors"]
)
def test_damage_is_found_before_a_model_appears(pushed, tmp_path, name, damage):
    save_model(example(temperature=3.0), tmp_path / "back", write_member)
    content = DAMAGE[damage]((pushed / name).read_bytes())
    (pushed / name).unlink()
    if content is not None:
        (pushed / name).write_bytes(content)
    expected = "missing|has no" if damage == "missing" else "was altered"
    with pytest.raises(ModelError, match=expected):
        load_model(pushed)
    with pytest.raises(ModelError, match=expected) as caught:
        run_pull(str(pushed), tmp_path / "back")
    assert str(pushed) in str(caught.value) and ".vidfit-model-" not in str(caught.value)
    assert load_model(tmp_path / "back").temperature == 3.0
    with pytest.raises(ModelError):
        run_push(pushed, str(tmp_path / "further"))
    assert not (tmp_path / "further").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "files": {"a', '{"files": 7}'])
def test_a_truncated_description_is_refused(pushed, tmp_path, text):
    (pushed / "model.json").write_text(text)
    with pytest.raises(ModelError, match=r"names no files.*vidfit push"):
        run_pull(str(pushed), tmp_path / "back")
    assert not (tmp_path / "back").exists()


# ---------------------------------------------------------------- what could do harm


@pytest.mark.parametrize(
    "name",
    ["../evil.json", "/tmp/evil.json", "a/../../evil.json", "a\\evil.json", "C:evil.json", ""],
)
def test_names_that_lead_elsewhere_are_refused(pushed, tmp_path, name):
    rewrite(pushed, files={**listed(pushed), name: "0" * 64})
    with pytest.raises(ModelError, match=r"names a file elsewhere.*do not trust it"):
        run_pull(str(pushed), tmp_path / "deep" / "back")
    assert not (tmp_path / "deep" / "back").exists()
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize("name", ["run.py", "weights.pkl", "lib.so", "backbones/0/weights", ".sh"])
def test_other_kinds_of_files_are_neither_pulled_nor_pushed(pushed, tmp_path, name):
    (pushed / name).write_text("print('hello')")
    import hashlib

    digest = hashlib.sha256((pushed / name).read_bytes()).hexdigest()
    rewrite(pushed, files={**listed(pushed), name: digest})
    assert load_model(pushed)
    with pytest.raises(ModelError, match=r"consists of \.json, \.safetensors, \.onnx, \.md files"):
        run_pull(str(pushed), tmp_path / "back")
    with pytest.raises(ModelError, match="consists of"):
        run_push(pushed, str(tmp_path / "further"))
    assert not (tmp_path / "back").exists() and not (tmp_path / "further").exists()


# ---------------------------------------------------------------- out of reach


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere/at/all", r"has no model\.json; give a place that `vidfit push` wrote to"),
        ("memory://nowhere-at-all", r"has no model\.json"),
        ("carrier-pigeon://a/b", r"cannot be opened .*Valid are a folder, hf:org/name, and URLs"),
    ],
)
def test_places_that_are_not_there(tmp_path, source, message):
    with pytest.raises(ModelError, match=message):
        run_pull(source, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_place_that_breaks_off_is_named(pushed, tmp_path, monkeypatch):
    from fsspec.implementations.local import LocalFileSystem

    def refuse(self, path, mode="rb", **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(LocalFileSystem, "open", refuse)
    with pytest.raises(ModelError, match=r"shared cannot be reached \(PermissionError"):
        run_pull(str(pushed), tmp_path / "back")
    assert not (tmp_path / "back").exists()


FULL = """
import resource, sys
from pathlib import Path
import fsspec.implementations.local
from vidfit.errors import ModelError
from vidfit.jobs.exchange.run import run_pull, run_push
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    {"pull": lambda a, b: run_pull(a, Path(b)), "push": lambda a, b: run_push(Path(a), b)}[
        sys.argv[1]
    ](*sys.argv[2:])
except ModelError as error:
    print(error)
"""


@pytest.mark.parametrize("job", ["pull", "push"])
def test_a_disk_that_takes_no_more_is_said(tmp_path, job):
    pytest.importorskip("resource")

    def write_large(index, folder):
        (folder / "network.onnx").write_bytes(bytes(5000))

    save_model(example(), tmp_path / "model", write_large)
    words = [job, str(tmp_path / "model"), str(tmp_path / "copy")]
    done = subprocess.run(
        [sys.executable, "-c", FULL, *words], capture_output=True, text=True, check=True
    )
    assert "File too large" in done.stdout, done.stderr
    if job == "pull":
        assert "cannot write the model to" in done.stdout
        assert [path.name for path in tmp_path.iterdir()] == ["model"]
    else:
        with pytest.raises(ModelError, match="damaged"):
            load_model(tmp_path / "copy")


# ---------------------------------------------------------------- the hub


class Hub:
    """What `vidfit` asks of ``huggingface_hub.HfApi``, on a folder: the hub is not reached here."""

    def __init__(self, root: Path, repositories=()):
        self.root, self.commits, self.private = root, [], {}
        self.repositories = set(repositories)

    def _folder(self, name):
        from huggingface_hub.errors import RepositoryNotFoundError

        if name not in self.repositories:
            error = RepositoryNotFoundError.__new__(RepositoryNotFoundError)
            Exception.__init__(error, "404: no such repository")
            raise error
        return self.root / name

    def list_repo_files(self, name):
        folder = self._folder(name)
        return [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]

    def model_info(self, name):
        self._folder(name)
        return SimpleNamespace(sha=f"commit-{len(self.commits)}")

    def hf_hub_download(self, name, file, revision):
        from huggingface_hub.errors import EntryNotFoundError

        assert revision == f"commit-{len(self.commits)}"
        path = self._folder(name) / file
        if not path.is_file():
            error = EntryNotFoundError.__new__(EntryNotFoundError)
            Exception.__init__(error, "404: no such entry")
            raise error
        return str(path)

    def create_repo(self, name, private, exist_ok):
        assert exist_ok
        if name not in self.repositories:
            self.repositories.add(name)
            self.private[name] = private

    def create_commit(self, name, operations, commit_message):
        folder = self._folder(name)
        self.commits.append([operation.path_in_repo for operation in operations])
        for operation in operations:
            (folder / operation.path_in_repo).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(operation.path_or_fileobj, folder / operation.path_in_repo)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    huggingface_hub = pytest.importorskip("huggingface_hub")
    stand_in = Hub(tmp_path / "hub")
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: stand_in)
    return stand_in


def test_the_hub_gets_one_private_commit_and_gives_it_back(hub, model, tmp_path):
    told = Told()
    run_push(model, "hf:me/gestures", told)
    assert hub.private == {"me/gestures": True}
    assert hub.commits == [[*listed(model), "README.md", "model.json"]]
    run_pull("hf:me/gestures", tmp_path / "back", told)
    assert load_model(tmp_path / "back").card == example().card
    assert told.count == 12


def test_a_repository_of_something_else_is_left_alone(hub, model, tmp_path):
    hub.repositories.add("me/essays")
    (hub.root / "me" / "essays").mkdir(parents=True)
    (hub.root / "me" / "essays" / ".gitattributes").write_text("of every repository")
    run_push(model, "hf:me/essays")  # new and empty: it may be written to
    hub.repositories.add("me/poems")
    (hub.root / "me" / "poems").mkdir(parents=True)
    (hub.root / "me" / "poems" / "ode.txt").write_text("precious")
    with pytest.raises(ModelError, match=r"hf:me/poems exists and is no model: it holds ode\.txt"):
        run_push(model, "hf:me/poems")


def test_what_the_hub_does_not_have_is_said(hub, tmp_path):
    with pytest.raises(ModelError, match=r"hf:me/none cannot be reached \(RepositoryNotFoundErr"):
        run_pull("hf:me/none", tmp_path / "back")
    hub.repositories.add("me/empty")
    with pytest.raises(ModelError, match=r"hf:me/empty has no model\.json"):
        run_pull("hf:me/empty", tmp_path / "back")


def test_without_the_package_the_extra_is_named(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for run in (
        lambda: run_push(model, "hf:me/gestures"),
        lambda: run_pull("hf:me/gestures", tmp_path / "back"),
    ):
        with pytest.raises(ModelError, match=r"pip install 'vidfit\[hf\]'"):
            run()


def test_the_stand_in_is_asked_what_the_hub_can_be_asked():
    import inspect

    api = pytest.importorskip("huggingface_hub").HfApi
    calls = {
        "list_repo_files": (("a/b",), {}),
        "model_info": (("a/b",), {}),
        "hf_hub_download": (("a/b", "model.json"), {"revision": "1"}),
        "create_repo": (("a/b",), {"private": True, "exist_ok": True}),
        "create_commit": (("a/b", []), {"commit_message": "Push"}),
    }
    for name, (args, named) in calls.items():
        inspect.signature(getattr(api, name)).bind(None, *args, **named)
