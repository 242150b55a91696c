"""Pure incident analysis: log batches and changes in, explained findings out. No I/O and no clock."""
