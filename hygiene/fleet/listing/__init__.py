"""Where repositories are listed: one file a kind of source."""
