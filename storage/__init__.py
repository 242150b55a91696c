"""What we remember: tables and queries. Knows nobody."""
