"""Archives and compressed files, read member by member: nothing is written to disk."""
