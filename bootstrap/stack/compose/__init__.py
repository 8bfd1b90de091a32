"""The engine of containers: `engine` is what others use, `run` one run of it, the rest what they need."""
