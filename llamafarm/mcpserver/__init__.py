"""The playground as an MCP server: its models, comparisons and routes as tools of other programs."""

from llamafarm.mcpserver.endpoint import McpEndpoint

__all__ = ["McpEndpoint"]
