"""One file a language family or format."""
