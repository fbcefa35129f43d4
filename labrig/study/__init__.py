"""Nights of one committed study joined: do they belong together, and what do they show of arms."""
