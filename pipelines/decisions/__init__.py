"""What people decided: an append-only store with many writers, and what follows from it for each pair of records."""
