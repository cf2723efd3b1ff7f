"""A real Neo4j for development and tests: by Docker, or on a local JVM.

The driver is imported only by the call that needs it. A local JVM needs a POSIX system.
"""

from graphmigrate.server.control import start, stop
from graphmigrate.server.health import find
from graphmigrate.server.model import Server, ServerOptions, browser_url, stop_command

__all__ = ["Server", "ServerOptions", "browser_url", "find", "start", "stop", "stop_command"]
