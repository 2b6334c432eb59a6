"""A decoder-only transformer that learns to add; README.md is the contract."""
