"""Findings → references."""
