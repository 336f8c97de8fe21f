from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

# Tests are imported by path (importlib mode), so that their neighbours need names of their own.
for _name, _file in {
    "report_example": "example.py",
    "report_parsed": "parsed.py",
    "ranking_example": "ranking_example.py",
    "compression_example": "compression_example.py",
    "combination_example": "combination_example.py",
}.items():
    _spec = importlib.util.spec_from_file_location(_name, Path(__file__).with_name(_file))
    _module = importlib.util.module_from_spec(_spec)
    sys.modules[_name] = _module
    _spec.loader.exec_module(_module)
