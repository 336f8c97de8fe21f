"""Checks that prove a part, ours or a third party's, to keep its contract.

::

    from vidfit.testing import check_backbone, check_fusion, check_network

    def test_my_backbone():
        check_backbone(MyBackbone())

    def test_my_fusion():
        check_fusion("mine")  # a key of vidfit.fusion.METHODS

    def test_my_network():
        check_network("mine")  # a key of vidfit.networks.NETWORKS
"""

from vidfit.testing.backbones import check_backbone, random_views
from vidfit.testing.fusions import check_fusion, training_on
from vidfit.testing.networks import check_network

__all__ = ["check_backbone", "check_fusion", "check_network", "random_views", "training_on"]
