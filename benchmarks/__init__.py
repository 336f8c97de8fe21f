"""Measurements against the usual ways, each run as ``python -m benchmarks.NAME``."""

from vidfit.threads import sleep_while_waiting

sleep_while_waiting()  # as the command line does
