"""What the outside world says: one flat file per vendor, immutable records out. Knows nobody."""
