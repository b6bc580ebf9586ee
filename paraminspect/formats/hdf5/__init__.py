"""HDF5 files: libhdf5 tells from a process of its own what they hold, values are read here.

`_superblock` finds the file, `_contents` checks what the library tells, `_layouts`, `_chunks` and
`_filters` get at values, `_tree` names them.
"""
