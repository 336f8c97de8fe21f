"""A Spark of this machine, started once, where there is Java."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def java_version() -> int:
    """Return the major version of Java, 0 without one."""
    if shutil.which("java") is None:
        return 0
    said = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    number = said.split('"')[1] if '"' in said else "0"
    return int(number.split(".")[0])


# Java that starts soon: these processes live too briefly for its best code.
os.environ["JDK_JAVA_OPTIONS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

NO_JAVA = pytest.mark.skipif(
    java_version() < 17, reason="Spark needs Java 17 or newer: apt install openjdk-17-jre-headless"
)


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """Two workers in one Spark of this machine."""
    if java_version() < 17:
        pytest.skip("Spark needs Java 17 or newer: apt install openjdk-17-jre-headless")
    from vidfit.launch import launcher

    place = launcher("spark", workers=2, scratch=tmp_path_factory.mktemp("spark"))
    yield place
    place.session.stop()
