"""Generated files: context (plain data) -> renderer (no disk) -> writer (compare, then write)."""
