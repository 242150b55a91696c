"""The dashboard: pages made on the server, one small script, nothing from elsewhere."""
