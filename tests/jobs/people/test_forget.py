"""Who is forgotten is gone: name, numbers and pictures, out of every file; the others stay."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.called import call
from tests.coloured_people import CONSENT, fitted_people

from vidfit.errors import ModelError
from vidfit.features.digests import file_digest
from vidfit.jobs.people.forget import run_forget
from vidfit.model import load_model
from vidfit.study.opened_model import open_model
from vidfit.tasks.faces.pictures import folder_of

NAME = "Åse O'Neil"


@pytest.fixture
def output(tmp_path_factory, tmp_path):
    known = fitted_people(tmp_path_factory.getbasetemp() / "gallery")
    return shutil.copytree(known, tmp_path / "out", ignore=shutil.ignore_patterns("answers"))


def test_nothing_of_a_person_is_left(output):
    before = load_model(output / "model")
    vector = before.arrays["people_KD"][before.classes.index(NAME)]
    faces = sorted((output / "faces" / folder_of(NAME)).glob("*.png"))
    digests = {file_digest(str(face)) for face in faces}
    stored = [t for part in output.rglob("part-*.parquet") for t in rows(part) if t.size == 4]
    mine = [t for t in stored if t @ vector > 0.99]
    assert len(faces) == len(mine) == 4
    done = run_forget(NAME, output / "model")
    assert (done.pictures, done.people) == (4, ("Chi", "Dee"))
    assert done.features >= 4
    wanted = [NAME.encode(), json.dumps(NAME).encode(), folder_of(NAME).encode(), vector.tobytes()]
    wanted += [t.tobytes() for t in mine] + [digest.encode() for digest in digests]
    for path in output.rglob("*"):
        assert folder_of(NAME) not in path.parts
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".parquet":  # compressed: what it says, not what it looks like
                content += b"".join(t.tobytes() for t in rows(path))
            assert not any(part in content for part in wanted), path


def test_the_others_are_known_as_before(output):
    before = load_model(output / "model")
    run_forget("Dee", output / "model")
    after = open_model(output / "model", consent=CONSENT)
    assert after.model.classes == ("Chi", NAME)
    for name in after.model.classes:
        old, new = (m.arrays["people_KD"][m.classes.index(name)] for m in (before, after.model))
        assert np.array_equal(old, new)
    assert after.model.card["consent"] == CONSENT


def test_the_last_person_takes_the_model_along(output):
    for name in ("Chi", "Dee", NAME):
        done = run_forget(name, output / "model")
    assert done.people == ()
    assert not (output / "model").exists()


def test_who_is_not_there_cannot_be_forgotten(output, tmp_path):
    with pytest.raises(ModelError, match="'Che' is no known person; did you mean 'Chi'"):
        run_forget("Che", output / "model")
    other = shutil.copytree(output / "model", tmp_path / "other" / "model")
    document = json.loads((other / "model.json").read_text())
    (other / "model.json").write_text(json.dumps({**document, "task": "tag"}))
    with pytest.raises(ModelError, match="knows nobody"):
        run_forget("Chi", other)
    result = call("faces", "forget", "Chi")
    assert result.exit_code == 2
    assert "Give --model" in result.stderr
    result = call("faces", "forget", "Chi", "--model", output / "model")
    assert result.exit_code == 0
    assert "nothing of Chi is left" in result.stdout


def rows(part):
    """Return the vectors of a part of a feature store."""
    table = pq.read_table(part)
    return [np.array(tokens, np.float32) for tokens in table["tokens"].to_pylist()]
