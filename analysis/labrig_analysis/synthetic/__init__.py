"""Images made by us, with the exact truth beside them.

``phantoms``: single geometric objects for accuracy, to a hundredth of a pixel.
``culture`` and ``scene``: a whole field of a culture, the same one as its state changes;
``render``: its pictures; ``truth``: what a perfect measurement of them would say;
``film``: the same field contracting.
"""
