"""Decoded text, its blocks, sentences and chunks, its language and front matter."""
