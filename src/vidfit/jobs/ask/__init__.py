"""Ask a question of texts and of what is said in videos."""
