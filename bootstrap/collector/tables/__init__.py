"""The store's tables: which there are, what stands in a row, and how traces are summed up."""
