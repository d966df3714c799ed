"""Offline checks by family: each takes a secret's bytes and gives True (passed), False (failed), None (can't say)."""
