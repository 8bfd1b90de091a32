"""The live stream: what arrives, for whoever listens."""
