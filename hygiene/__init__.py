"""hygiene: find leaked credentials, store them, replace them, rotate them, and prove it."""

__version__ = "0.1.0"
