"""Embedding models: conversion to OpenVINO graphs, quantization and inference."""

__all__ = [
    "compiled_blobs",
    "conversion",
    "encoder",
    "encoder_conversion",
    "graph_template",
    "openvino_graph",
    "packed_model",
    "packed_weights",
    "quantization",
    "tensor_files",
]
"""Modules that other packages may import."""
