"""What anything is published with: rows, masks, templates, safe cells, folders swung over at once."""
