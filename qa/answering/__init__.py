"""A question -> an answer or a refusal: retriever, reader, confidence, decision, citations."""
