"""HDF5 files: libhdf5 tells from a process of its own what they hold, values are read here.

`_superblock` finds the file, `_process` runs the library (the program is in `_child`), `_contents`
checks what it tells, `_layouts`, `_chunks` and `_filters` get at values, `_tree` names them.
"""
