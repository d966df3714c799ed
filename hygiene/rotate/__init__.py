"""Old value → new value."""
