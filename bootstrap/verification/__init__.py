"""Proof of arrival: marked requests are sent, and what they left is read back."""
