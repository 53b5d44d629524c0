"""Takopi's /ghauth."""
