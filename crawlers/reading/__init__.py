"""What a fetched page says: text, dates, feeds and embedded state; pure, and safe on any bytes."""
