"""Makes credentials that open nothing: rules are proved without a live-looking constant in the repository."""
