"""files → raw: find what was delivered, read it as sent, refuse what cannot be read, keep everything."""
