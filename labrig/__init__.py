"""labrig: run nerve-muscle culture experiments from a protocol to a morning report."""
