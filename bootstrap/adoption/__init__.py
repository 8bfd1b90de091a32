"""Other people's repositories: what is there is read, never run and never written, and becomes a proposal."""
