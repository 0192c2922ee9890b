"""Dense and lexical retrieval: FAISS and BM25 indexes, their files, and the fusion of both
rankings.
"""
