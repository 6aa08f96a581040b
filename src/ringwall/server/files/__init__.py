"""The files API: what clients upload before they attach it."""
