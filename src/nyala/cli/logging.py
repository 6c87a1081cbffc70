"""How log lines look: plain on a terminal, JSON elsewhere; both on stderr."""

import sys
from typing import Any

import structlog


def configure() -> None:
    """Sets it up for this process."""
    renderer: Any = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True), renderer],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
