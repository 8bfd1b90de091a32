"""What telemetry costs the backend: the app with all of it, without any, and as the journal had it."""
