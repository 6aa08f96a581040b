"""The store at scale: PostgreSQL with pgvector, where row-level security holds the access lists."""
