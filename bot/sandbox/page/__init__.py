"""The channel in a browser: HTML made here, kept current by a few lines of JavaScript."""
