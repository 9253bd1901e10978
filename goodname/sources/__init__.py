"""`goodname sources`: try a source before it is crawled, record it, replay it."""
