"""The assignment: its names, probes and checks. Nothing of this is known to the engine, or to a worker."""
