"""The HTTP API, version 1 (docs/api.md)."""
