"""What is too large to be read: said before memory is asked for."""

from __future__ import annotations

PIXELS_MAX = 1 << 26
"""Pixels of a picture: 8192 x 8192, which take 67 MB in each of a few copies."""

FRAMES_MAX = 1 << 22
"""Frames of a video: 38 hours at 30 a second. The index takes about 120 bytes for each."""

SAMPLES_MAX = 2 * FRAMES_MAX
"""Samples of all tracks of an MP4, of which FFmpeg keeps about 40 bytes each."""

SECONDS_MAX = 31 * 24 * 3600.0
"""From the first frame to the last: 31 days."""

ASPECT_MAX = 10.0
"""How many times wider than high, or the other way round, a pixel may be shown."""
