"""Clips as WebDataset tar shards: laid out, written, and streamed to a training loop."""

from vidfit.shards.layout import ShardPlan, ShardSize, Unit, layout
from vidfit.shards.units import units_of
from vidfit.shards.write import ShardPart, write_shard

__all__ = ["ShardPart", "ShardPlan", "ShardSize", "Unit", "layout", "units_of", "write_shard"]
