"""Where figures are from: data, packages and pretrained models, so that others can repeat them."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version

from vidfit.manifest import Manifest
from vidfit.study.candidates import Loaded

_PACKAGES = ("vidfit", "av", "numpy", "onnxruntime", "openvino", "scikit-learn", "torch")


def provenance(manifest: Manifest, candidates: Sequence[Loaded]) -> dict[str, str]:
    """Return the data's digest, versions of packages, and where each candidate is from."""
    facts = {"data digest": manifest.digest, "python": platform.python_version()}
    facts |= {package: version(package) for package in _PACKAGES}
    for candidate in candidates:
        spec = candidate.backbone.spec
        facts[spec.name] = f"{spec.source}, revision {spec.revision[:16]}, frames {spec.sampling}"
        if candidate.taken:
            facts[spec.name] += f"; of the checkpoint {candidate.taken}"
    return facts
