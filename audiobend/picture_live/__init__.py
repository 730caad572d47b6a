"""Pictures that are played: a generator bent by OSC, painted in a process of its own, and shown on a local page."""
