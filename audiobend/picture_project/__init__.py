"""Projection: the styles with which a generator paints a given picture."""
