"""The loop that trains a network, and what it needs: data, schedules, checkpoints."""
