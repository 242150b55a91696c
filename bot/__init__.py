"""What we do about it. The only package that knows `adapters` and `storage`."""

__version__ = "0.1.0"
