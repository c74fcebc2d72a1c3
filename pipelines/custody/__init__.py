"""How personal data is kept, and how it is let go."""
