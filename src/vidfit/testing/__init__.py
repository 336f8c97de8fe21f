"""Checks that prove a part, ours or a third party's, to keep its contract.

::

    from vidfit.testing import check_backbone, check_fusion, check_network, check_task

    def test_my_backbone():
        check_backbone(MyBackbone())

    def test_my_fusion():
        check_fusion("mine")  # a key of vidfit.fusion.METHODS

    def test_my_task():
        check_task(MY_TASK, ["labels", "as", "users", "write", "them", ...])

    def test_my_network():
        check_network("mine")  # a key of vidfit.networks.NETWORKS
"""

from vidfit.testing.backbones import check_backbone, random_views
from vidfit.testing.fusions import check_fusion, training_on
from vidfit.testing.networks import check_network
from vidfit.testing.tasks import check_task

__all__ = [
    "check_backbone",
    "check_fusion",
    "check_network",
    "check_task",
    "random_views",
    "training_on",
]
