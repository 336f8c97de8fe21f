"""Models that make pixels: frames made larger, the next frames, new clips.

A room of its own, not a row of `vidfit.tasks`: there frozen encoders look at a clip and a learner
takes their vectors. Here a network is trained on the frames themselves, and its answers are frames.
What holds for tasks holds here: whole recordings are put aside (for new clips
whole files: `vidfit.jobs.generate.material` says why), figures have intervals over recordings, and
a baseline stands beside each.
"""
