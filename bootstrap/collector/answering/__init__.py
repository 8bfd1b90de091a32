"""The API: how questions stand in an address, and answers in JSON."""
