"""The assignments that this project brings, a folder each. The engine imports none of them by name."""
