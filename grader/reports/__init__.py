"""What a grade becomes: a JSON record, a page in the terminal, pages and notebooks in HTML."""
