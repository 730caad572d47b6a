"""The plugin for hosts: built from the C++ sources, put where hosts look, and looked after."""
