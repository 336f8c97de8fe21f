"""What the clips of a table hold in memory."""

from __future__ import annotations

from tests.manifest.made import write

from vidfit.manifest import read_manifest


def test_clips_share_the_texts_of_their_labels_and_recordings(tmp_path):
    write(tmp_path, *(f"{i}.mp4" for i in range(4)))
    rows = "".join(f"{i}.mp4,a kick,a recording,train\n" for i in range(4))
    (tmp_path / "clips.csv").write_text(f"path,label,group,split\n{rows}")
    clips = read_manifest(tmp_path / "clips.csv").clips
    for name in ("label", "group", "split"):
        assert len({id(getattr(clip, name)) for clip in clips}) == 1
