"""Streams: the random numbers of the frameworks, to the bit."""
