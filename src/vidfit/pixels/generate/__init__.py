"""New clips of a kind that was seen: what draws them, and how they are judged.

Members each draw clips of their own: a video VAE with a normal prior, the same with a spline flow
over its latents, with a decoder that was polished against a critic, and a GPT over quantised
tokens. A critic chooses among what they draw.
"""
