"""References → edits."""
