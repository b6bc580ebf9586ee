"""Files: the only way by which bytes come and go."""
