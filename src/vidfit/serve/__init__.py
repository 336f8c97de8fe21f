"""The page and the REST service over runs and folders of videos: ``vidfit serve``.

A client names clips, runs and jobs by ids that the server gave out, never by paths. What is
pinned here is held by `tests/serve`.
"""
