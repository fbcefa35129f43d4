"""Find nuclei, part those that touch, and say in which tube each lies.

segmentation from foreground, over-segmented into fragments, over merging; pyknosis; fusion and
maturity indices; nucleus_table.
"""
