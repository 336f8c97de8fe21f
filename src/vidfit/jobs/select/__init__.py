"""The job `select`: which pretrained model fits the clips."""
