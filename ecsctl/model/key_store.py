"""What may have the keys that open the secrets."""

from typing import Literal

KeyStore = Literal["file", "keyring"]
