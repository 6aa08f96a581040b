"""MCP servers behind the gateway. Nothing here imports the SDK before a server is contacted."""
