"""All that is said of one field: inputs and their plausibility, its tables, its one row."""
