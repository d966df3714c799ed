"""One file a provider that needs code."""
