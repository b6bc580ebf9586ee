"""JAX: the names of its initializers, and its random numbers."""
