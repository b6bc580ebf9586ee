"""What the layers and functions of Keras compute, by the names of `frameworks.keras`."""
