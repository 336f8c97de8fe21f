"""The jobs `push` and `pull`: models to and from other places."""
