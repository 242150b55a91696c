"""Steps, oldest first by their number."""
