"""Jobs of models of pixels on the command line."""
