"""Ready files for programs that play audiobend, written from the table of addresses."""
