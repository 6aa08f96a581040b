"""Credentials beside API keys: tokens of identity providers, client certificates, tokens for a user."""
