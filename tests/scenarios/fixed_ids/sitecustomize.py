"""Makes every new id the same, in the process of a test that has to know it before."""

import os

_urandom = os.urandom
ID_BYTES = 16
os.urandom = lambda size: b"\xff" * size if size == ID_BYTES else _urandom(size)
