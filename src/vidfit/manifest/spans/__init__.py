"""Spans of long videos as other tools write them: ActivityNet, AVA, BORIS, ELAN, lists of frames.

Each parser is a function of a text; `read_spans` and `read_span_files` find the videos.
"""

from vidfit.manifest.spans.activitynet import parse_activitynet
from vidfit.manifest.spans.ava import parse_ava
from vidfit.manifest.spans.boris import parse_boris
from vidfit.manifest.spans.boris_project import parse_boris_project
from vidfit.manifest.spans.elan import parse_eaf
from vidfit.manifest.spans.elan_text import parse_elan_text
from vidfit.manifest.spans.frames import parse_frames
from vidfit.manifest.spans.read import read_span_files, read_spans
from vidfit.manifest.spans.value import SpanRows

__all__ = [
    "SpanRows",
    "parse_activitynet",
    "parse_ava",
    "parse_boris",
    "parse_boris_project",
    "parse_eaf",
    "parse_elan_text",
    "parse_frames",
    "read_span_files",
    "read_spans",
]
