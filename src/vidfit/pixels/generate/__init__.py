"""New clips of a kind that was seen: what draws them, and how they are judged.

Members each draw clips of their own: a video VAE with a normal prior, the same with a spline flow
over its latents, and a GPT over quantised tokens. In a pool each draws a share.
"""
