"""The rig: models, loading, plumbing graph, opening the bench. Imports nothing itself."""
