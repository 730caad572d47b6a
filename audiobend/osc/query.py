"""The table of addresses as OSCQuery has it."""
