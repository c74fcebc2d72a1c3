"""raw → staged: one row a client record, with what hangs on it, standardised and linked by exact reference."""
