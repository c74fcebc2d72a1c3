"""What benchmarks found: figures kept as JSON, and the plots that are drawn of them."""
