"""Folders of images to tables: files around `labrig_analysis`, with no protocol and no rig."""
