from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

# Tests are imported by path (importlib mode), so that their neighbour needs a name of its own.
_spec = importlib.util.spec_from_file_location(
    "report_example", Path(__file__).with_name("example.py")
)
_module = importlib.util.module_from_spec(_spec)
sys.modules["report_example"] = _module
_spec.loader.exec_module(_module)
