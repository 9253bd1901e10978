"""One file a source: each holds one ``Spider``, found by ``crawlers.catalogue``."""
