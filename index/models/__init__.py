"""Embedding models: converted once to OpenVINO graphs, quantized, run on texts."""
