"""Who is seen in videos, and when."""
