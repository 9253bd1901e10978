"""The nouns: settings, types, tables, database, queue, guarded HTTP client."""
