"""lvstui: a terminal console for LVS directors with keepalived."""

__version__ = "0.1.0"
