import pytest


@pytest.fixture
def tmp_path(tmp_path):
    """A folder without neighbours: annotations look for pictures in the folders beside theirs."""
    folder = tmp_path / "alone"
    folder.mkdir()
    return folder
