"""One section of a project file a module: models, tools, prompts, MCP servers."""
