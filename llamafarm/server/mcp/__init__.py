"""The playground as an MCP server: its models, comparisons and routes as tools of other programs."""

from llamafarm.server.mcp.endpoint import McpEndpoint

__all__ = ["McpEndpoint"]
