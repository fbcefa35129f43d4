"""Time-lapse storage: OME-Zarr plates written one plane at a time, safe against power loss."""
