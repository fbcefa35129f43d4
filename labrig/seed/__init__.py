"""The systems that the paper names, as protocols: an index, and whether each still holds."""
