"""The plugin's other half: an instance for each plugin that connects. The protocol is in `docs/plugin-protocol.md`."""
