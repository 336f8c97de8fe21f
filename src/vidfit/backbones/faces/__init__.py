"""Faces: where they are in a picture, how they are turned upright, and what they look like.

`vidfit.backbones.faces.finding` finds and aligns them, `vidfit.backbones.faces.network` sees an
aligned one.
"""
