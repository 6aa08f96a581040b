"""The ASGI application: HTTP in, turns through the gates, HTTP out."""
