"""The store: who writes, what makes room, and who may read at the same time."""
