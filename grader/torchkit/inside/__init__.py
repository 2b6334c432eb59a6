"""The toolkit's half beside student code: operations that run it and tell what it did. Nothing here judges."""
