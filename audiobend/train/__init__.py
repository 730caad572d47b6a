"""A model from a folder of sound: windows, losses, the loop, the bundle."""
