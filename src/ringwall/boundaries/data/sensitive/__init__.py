"""Sensitive data in collections: what there is, what is done about it, what a model learnt of it."""
