"""Decoded text -> blocks, sentences, chunks; its language, front matter and table rows."""
