"""Where a record came from and how far it reaches."""
