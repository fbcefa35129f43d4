"""The protocol: models, loading, patterns, randomisation, commitment. Imports nothing itself."""
