"""What a vendor's keys say about themselves, and what the vendor says about them: one vendor a file."""
