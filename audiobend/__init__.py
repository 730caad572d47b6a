"""audiobend."""
