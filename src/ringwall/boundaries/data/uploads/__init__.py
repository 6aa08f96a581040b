"""Files that clients upload, and the collections that they were attached to."""
