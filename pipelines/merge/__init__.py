"""What a merge would do, and what stands in its way. Nothing is merged here yet."""
