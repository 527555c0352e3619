"""Files: written whole or not at all, told apart by their content, filled piece by piece."""
