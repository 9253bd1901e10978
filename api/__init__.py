"""The HTTP API and the web page: the only home of FastAPI."""
