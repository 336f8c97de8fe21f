"""The frames after a video's last ones, and how surprising each of its frames was."""
