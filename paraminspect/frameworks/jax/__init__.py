"""JAX: the names of its initializers. It has no layers, so no definition is of this framework."""
