"""The job `pretrain`: what can be learned without labels, from texts and from clips."""
