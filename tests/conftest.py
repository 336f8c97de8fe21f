from __future__ import annotations

import os

# Before numpy is imported: the small fits of the tests need no threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
