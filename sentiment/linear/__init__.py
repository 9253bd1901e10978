"""The linear judge: hashed n-grams and numpy; the baseline for every later judge."""
