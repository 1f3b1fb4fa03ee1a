"""MCP: the tools that models may call. One owner task for each server, started when first needed.

The only room that speaks MCP as a client, through the official package, which is imported with the first server.
"""

from llamafarm.tools.base import Offer, ToolResult
from llamafarm.tools.servers import McpServers

__all__ = ["McpServers", "Offer", "ToolResult"]
