"""How nights go: what each came to in counts, the file that Prometheus reads, notices, and the page of trends."""
