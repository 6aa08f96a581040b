"""Files of strangers, read in a process of its own: without network, with limits on memory, time and size.

``reader`` is the gateway's end, ``worker`` the other; the worker imports as little as it can.
"""
