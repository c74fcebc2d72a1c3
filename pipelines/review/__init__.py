"""matched → what people see: the evidence of each candidate, and the report that carries it."""
