"""What every vendor file stands on: records, capabilities, settings, errors, registry."""
