"""A submitted notebook as HTML: rendered by nbconvert in a process of its own, made harmless here, never executed."""
