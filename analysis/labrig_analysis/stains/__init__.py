"""Read-outs of stains beside tubes and nuclei: one module per question."""
