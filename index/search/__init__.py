"""Dense and lexical retrieval: FAISS and BM25 indexes, their files, and score fusion."""
