"""Search and reading of collections for the vector stores API, for MCP and for programs."""
