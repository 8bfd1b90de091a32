"""Opens a workspace from one manifest: services, secrets, telemetry, and the proof that it arrives."""
