"""Applies detected changes to the tree, and reports them."""
