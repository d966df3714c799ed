"""Bytes → findings."""
