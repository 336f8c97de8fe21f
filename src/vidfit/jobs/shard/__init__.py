"""The job `shard`: clips as WebDataset shards."""
