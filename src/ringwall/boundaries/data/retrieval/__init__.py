"""Where passages are kept for searching: the embedded store (SQLite) and the one at scale (PostgreSQL)."""
