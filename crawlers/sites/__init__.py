"""One YAML file a site that ships, in the format of ``crawlers.declared.site``."""
