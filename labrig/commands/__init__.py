"""What each ``labrig`` command does: one module a command, imported lightly, working lazily."""
