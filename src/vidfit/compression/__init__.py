"""What makes a network smaller or faster, one file a technique; what it costs is measured by jobs.

Graphs are ONNX files, uint8 ``frames`` [B, T, H, W, C] to float32 ``tokens`` [B, N, D], as
`vidfit.runtime.onnx.export` writes them; networks are torch modules of the same input and output.
"""
