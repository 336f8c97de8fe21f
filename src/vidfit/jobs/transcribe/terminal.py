"""What ``vidfit transcribe`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vidfit.jobs.transcribe.value import Transcription
from vidfit.report.wording import counted

_SHOWN = 20


def lines_of(done: Transcription, left: Sequence[str] = ()) -> Iterator[str]:
    """Yield what was heard and written, one line each.

    Parameters
    ----------
    left
        Files of sound that were left out, because a video of their name lies beside them.
    """
    words = sum(len(one.words) for one in done.transcripts)
    minutes = sum(one.duration_seconds for one in done.transcripts) / 60
    yield (
        f"**{counted(words, 'word')} in {minutes:.1f} minutes of "
        f"{counted(len(done.transcripts), 'recording')}.**"
    )
    fresh = [one for one in done.transcripts if one.seconds]
    if fresh:
        spent = sum(one.seconds for one in fresh)
        heard = sum(one.duration_seconds for one in fresh)
        share = f"{spent / heard:.2f} of its time"
        yield f"Heard now: {heard:.0f} s of sound in {spent:.0f} s ({share})."
    for one in done.transcripts[:_SHOWN]:
        for note in one.notes:
            yield f"> {one.path}: {note}."
    for file in done.files[:_SHOWN]:
        yield f"- {file}"
    if len(done.files) > _SHOWN:
        yield f"- and {len(done.files) - _SHOWN} more"
    for file in left[:_SHOWN]:
        yield f"> {file} is taken for the sound of the video beside it: name it to have it heard."
    if len(left) > _SHOWN:
        yield f"> {len(left) - _SHOWN} more files of sound are left out beside their videos."
    for file in done.kept:
        yield f"> {file} is there with other content and is kept; --replace writes it anew."
    for failure in done.failures:
        yield f"> {failure.name}: {failure.reason}."
