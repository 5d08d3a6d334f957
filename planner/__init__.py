"""planner keeps courses of treatment right: which provider, which room, when, and how far apart."""

__version__ = "0.1.0"
