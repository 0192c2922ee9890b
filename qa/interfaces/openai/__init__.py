"""Endpoint in the form of OpenAI's API: chat completions, models and embeddings.

`requests` validates what comes, `messages` finds question and earlier turns in it, `contents`
writes an answer as text with numbered sources, and `responses` wraps it in the objects of the API,
whole or streamed. `routes` puts them together.

Source: platform.openai.com/docs/api-reference, "Chat" and "Embeddings".
"""

__all__ = ["errors", "routes"]
"""Modules that other packages may import."""
