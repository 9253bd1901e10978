"""Text in, judgement out: language, sentiment, severity."""
