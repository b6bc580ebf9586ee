"""libhdf5, in a process of its own: no other code of ours meets it.

`starting` starts the process (the program is in `_child`), `ahead` does so before it is known what
is to be done with a file, `process` asks it.
"""
