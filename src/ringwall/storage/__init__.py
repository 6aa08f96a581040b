"""SQL, blobs and counters: the embedded twin of each. No policy."""
