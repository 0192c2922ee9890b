"""Endpoint in the form of OpenAI's API: chat completions, models and embeddings.

`requests` validates what comes, `messages` finds question and earlier turns in it, and `responses`
wraps an answer's text (`qa.interfaces.plaintext.numbered`) in the objects of the API, whole or
streamed. `routes` puts them together.

Source: platform.openai.com/docs/api-reference, "Chat" and "Embeddings".
"""

__all__ = ["errors", "routes"]
"""Modules that other packages may import."""
