"""Agent frameworks over ``ringwall.inprocess``: one module each, for whoever has the framework installed."""
