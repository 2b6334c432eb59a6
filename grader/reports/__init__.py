"""What a grade becomes: a JSON record, a page in the terminal."""
