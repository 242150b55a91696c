"""Block Kit as pure functions: data in, blocks out, within Slack's limits for any content."""
