"""Learn to draw clips of a kind, measure them beside real ones, and draw them."""
