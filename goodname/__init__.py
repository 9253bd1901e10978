"""The command line: puts the processes together."""
