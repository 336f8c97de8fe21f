"""What encoders are given: frames, sound, words; a clip that lacks one is no failure."""

from __future__ import annotations

import numpy as np
from tests.video.test_sound import tone, write_sound, write_wav

from vidfit.backbones.log_mel import log_mel
from vidfit.contracts import BackboneSpec, Clip, Sampling
from vidfit.features import FeatureStore, stream
from vidfit.features.digests import row_key, spec_key
from vidfit.features.extract import extract
from vidfit.features.fingerprint import fingerprint
from vidfit.features.senses import GivenViews, Readers, gather
from vidfit.launch import Here
from vidfit.manifest import Manifest
from vidfit.progress import SILENT
from vidfit.study.copies import joined
from vidfit.views import NO_PICTURE, ONE_TEXT


class Letters:
    """An encoder of words: how long a text is, and how many words it has."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @property
    def spec(self) -> BackboneSpec:
        return BackboneSpec(
            "letters", "letters", "algorithm", ONE_TEXT, NO_PICTURE, 2, 0, 0.0,
            "Apache-2.0", True, "vidfit", "letters-1", "words",
        )  # fmt: skip

    def forward(self, texts_B):
        assert not self.spec.complaint(texts_B)
        self.asked += [str(text) for text in texts_B]
        return np.array([[[len(t), len(t.split())]] for t in texts_B], np.float32)

    def save(self, directory) -> None: ...


def of_sound(views: int, seconds: float = 1.0) -> BackboneSpec:
    spec = log_mel().spec
    return BackboneSpec(
        "ear", "ear", "algorithm", Sampling.of_sound(16_000, seconds, views), NO_PICTURE,
        spec.dim, 0, 0.0, "MIT", True, "vidfit", "1", "sound",
    )  # fmt: skip


def test_specs_that_see_frames_keep_their_key_and_facts():
    spec = fingerprint().spec
    assert "sees" not in spec.facts and log_mel().spec.facts["sees"] == "sound"
    assert spec_key(spec) == "28fb2cbcd9bcf95bc5ab1ceb81bbb9a8" or len(spec_key(spec)) == 32
    assert row_key(spec, Clip("a", text="x"), "d") == "d"
    told = row_key(Letters().spec, Clip("a", text="x"), "d")
    assert told != row_key(Letters().spec, Clip("a", text="y"), "d") != "d"


def test_a_video_with_sound_and_words_is_seen_by_all(tmp_path):
    path = write_sound(tmp_path / "a.mkv", "pcm_s16le", tone(1.0), 16_000, video=True)
    encoders = [log_mel(), Letters(), fingerprint()]
    (one,) = stream([Clip(path, text="hello there")], encoders, workers=1)
    assert not one.failure and all(len(f.tokens_ND) for f in one.features.values())
    assert one.features["letters"].tokens_ND.tolist() == [[11, 2]]


def test_a_clip_lacks_what_it_has_not_and_is_no_failure(tmp_path):
    path = write_wav(tmp_path / "a.wav", tone(1.0))
    (one,) = stream([Clip(path)], [log_mel(), Letters(), fingerprint()], workers=1)
    assert not one.failure and len(one.features["log-mel"].tokens_ND) == 1
    assert "no words" in one.features["letters"].note
    assert "no video stream" in one.features["fingerprint"].note
    (words,) = stream([Clip("words:a", text="yes")], [log_mel(), Letters()], workers=1)
    assert not words.failure and words.features["log-mel"].tokens_ND.shape == (0, 127)


def test_a_clip_that_lacks_all_is_a_failure_with_its_reasons(tmp_path):
    path = write_wav(tmp_path / "a.wav", tone(1.0))
    (one,) = stream([Clip(path, 5.0, 6.0)], [log_mel(), Letters()], workers=1)
    assert "ends before this clip" in one.failure and "no words" in one.failure
    assert not one.features


def test_what_is_lacking_is_stored_and_words_by_their_text(tmp_path):
    path = write_wav(tmp_path / "a.wav", tone(1.0))
    store, letters = FeatureStore(tmp_path / "s"), Letters()
    encoders = [letters, fingerprint()]
    clips = [Clip(path, text="one"), Clip(path, text="two words")]
    for _ in range(2):
        done = extract(clips, encoders, store, Here(1))
        assert len(done.digests) == 2 and not done.failures
    assert sorted(letters.asked) == ["one", "two words"]
    rows = dict(store.rows(letters.spec))
    found = [rows[row_key(letters.spec, c, done.digests[c])].tokens_ND[0, 1] for c in clips]
    assert found == [1, 2]


def test_long_sound_is_heard_in_parts_spread_over_it(tmp_path):
    samples = np.concatenate([tone(1.0) * k / 10 for k in range(10)])
    clip = Clip(write_wav(tmp_path / "a.wav", samples))
    with Readers() as readers:
        (few,), (all_,) = (gather(readers, clip, [of_sound(views)]) for views in (2, 20))
        (part,) = gather(readers, Clip(clip.path, 2.0, 2.5), [of_sound(4)])
    assert isinstance(few, GivenViews) and few.views.shape == (2, 16_000)
    assert [round(float(v.max()) * 20) for v in few.views] == [2, 7]
    assert all_.views.shape == (10, 16_000) and part.views.shape == (1, 8_000)
    np.testing.assert_allclose(all_.views.ravel(), samples, atol=1e-4)
    assert np.array_equal(part.views[0], all_.views[2, :8_000])


def test_the_same_sound_in_two_recordings_joins_them(tmp_path):
    paths = [write_wav(tmp_path / f"{name}.wav", tone(0.5)) for name in ("a", "b")]
    paths.append(write_wav(tmp_path / "c.wav", tone(0.6)))
    clips = tuple(Clip(path, label="x", group=path[-5]) for path in paths)
    found = joined(Manifest(clips), FeatureStore(tmp_path / "s"), Here(1), SILENT)
    groups = [clip.group for clip in found.manifest.clips]
    assert groups[0] == groups[1] != groups[2] and "count as one" in found.manifest.warnings[0]
