"""What is known of every repository, finding and exposure. Never a value."""
