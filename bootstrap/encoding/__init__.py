"""One encoder per reader: each writes what that reader reads back byte for byte, or refuses by name."""
