"""One file a noun: the paths under it, and nothing else."""
