"""What the service does: plain functions over plain values, which know no Flask."""
