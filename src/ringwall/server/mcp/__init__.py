"""The MCP gateway: ``/mcp/{server}``, server to the client and client to the server behind it."""
