"""The embedded telemetry receiver: one receiver a protocol, one store, no forwarding."""
