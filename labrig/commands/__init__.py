"""What each ``labrig`` command does: one module per command, imported lightly, working lazily."""
