"""From a subject, clips and a machine to a plan: memory, time, the choice."""
