"""labrig in napari: look at results, try another level, correct labels (extra ``napari``)."""
