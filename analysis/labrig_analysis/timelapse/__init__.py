"""One field over many rounds: registration of drift, tracking of tubes, growth."""
