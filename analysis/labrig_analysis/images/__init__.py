"""Tools for one plane that know of no tube and no nucleus.

planes (is it a plane that can be measured?), quality (is the frame sharp and well exposed?),
background, downsampling, interpolation, watershed, scale_selection.
"""
