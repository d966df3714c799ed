"""One file a command; the only room that composes."""
