"""Ways for bytes to travel: few and small, always passed in to a driver."""
