"""The web door: HTTP API, webhooks, dashboard, health and metrics, one FastAPI application under uvicorn."""
