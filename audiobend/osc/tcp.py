"""OSC over TCP."""
