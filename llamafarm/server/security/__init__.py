"""What the server refuses or adds before anything else sees a request."""

from llamafarm.server.security.security import MAX_BODY, SecurityMiddleware
from llamafarm.server.security.whole import Whole

__all__ = ["MAX_BODY", "SecurityMiddleware", "Whole"]
