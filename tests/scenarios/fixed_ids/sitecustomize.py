"""Makes every new id the same, in the process of a test that has to know it before."""

import secrets

secrets.token_hex = lambda nbytes=None: "f" * 32
