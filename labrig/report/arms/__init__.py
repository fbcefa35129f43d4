"""The verdict on arms, over donors: what the analysis plan lets a page claim."""
