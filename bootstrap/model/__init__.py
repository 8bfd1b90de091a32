"""Frozen values that every layer may hold, and the errors that every layer may raise."""
