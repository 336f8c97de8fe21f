"""The job `search`: where in a library of videos is what looks, or moves, like this."""
