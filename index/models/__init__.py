"""Embedding models: conversion to OpenVINO graphs, quantization and inference."""
