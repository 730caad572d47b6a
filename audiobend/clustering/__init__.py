"""From activation maps to clusters of features that belong together."""
