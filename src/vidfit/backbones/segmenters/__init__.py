"""Networks that know classes of places: of Hugging Face, and the mask of a person."""
