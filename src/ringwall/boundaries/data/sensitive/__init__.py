"""Sensitive data in training sets and indexes: what there is, what is done about it, what a model learnt of it."""
