"""The schema's history, one file a step; see `storage.schema`."""
