"""One file a kind of source: which recordings it has, and how their posts are counted again."""
