"""The Slack edge: it reads what people and alerts say, and shows what an investigation found."""
