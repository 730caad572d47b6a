"""A browsable log of bends: every cluster bent in several ways, rendered, measured, ranked, and put on one page."""
