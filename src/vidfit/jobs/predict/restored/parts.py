"""Finished parts of a video that is being made: a run that was killed goes on after the last one.

::

    .NAME.parts/
      00000.mp4, 00001.mp4, ...   the parts, without sound
      state.npz                   what they were made of, how many are whole, and what the next one
                                  depends on

The state is written after a part is: a part that it does not count is made again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from vidfit.files import new_file

_STATE = "state.npz"
_MADE, _FRAMES = "made", "frames"
"""Names in the state, beside those of what the next part depends on."""


@dataclass
class VideoParts:
    """Parts of one video.

    Parameters
    ----------
    folder
        Of the parts.
    made
        What the video is made of: parts of something else do not count.
    frames
        Of each part.
    state
        What the next part depends on, arrays by name.
    """

    folder: Path
    made: str
    frames: list[int] = field(default_factory=list)
    state: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def beside(cls, path: Path, made: str) -> VideoParts:
        """Return the parts of a video that an earlier run finished; those of others are removed."""
        parts = cls(path.with_name(f".{path.stem}.parts"), made)
        with suppress(OSError, ValueError, KeyError, BadZipFile, EOFError):
            with np.load(parts.folder / _STATE) as found:
                state = {name: found[name] for name in found.files}
            frames = [int(count) for count in state.pop(_FRAMES)]
            whole = all(parts._path(number).is_file() for number in range(len(frames)))
            if str(state.pop(_MADE)) == made and whole:
                parts.frames, parts.state = frames, state
        if not parts.frames:
            parts.remove()
        return parts

    @property
    def paths(self) -> list[Path]:
        """The finished parts, in their order."""
        return [self._path(number) for number in range(len(self.frames))]

    def add(self, write: Callable[[Path], int], state: Callable[[], Mapping[str, Any]]) -> None:
        """Make the next part.

        Parameters
        ----------
        write
            Writes it to a path, whole or not at all, and returns its frames.
        state
            Returns what the part after it depends on.

        Raises
        ------
        StoreError
            If the state cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(len(self.frames))
        count = write(path)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        frames, self.state = [*self.frames, count], dict(state())
        arrays: dict[str, Any] = {**self.state, _MADE: np.array(self.made), _FRAMES: frames}
        with new_file(self.folder / _STATE) as stream:
            np.savez(stream, **arrays)
        self.frames = frames

    def remove(self) -> None:
        """Remove the parts, and what a run that was killed left among them."""
        for left in self.folder.glob("*.mp4"):
            left.unlink()
        for left in self.folder.glob(f"*{_STATE}*"):
            left.unlink()
        with suppress(OSError):  # there is none, or something else lies there
            self.folder.rmdir()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:05d}.mp4"
