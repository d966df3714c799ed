"""Everything → evidence."""
