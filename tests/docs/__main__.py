"""Writes the pages anew: `make docs`."""

from tests.docs import access
from tests.docs.page import PAGE, page

PAGE.parent.mkdir(exist_ok=True)
PAGE.write_text(page(), encoding="utf-8")
access.PAGE.write_text(access.page(), encoding="utf-8")
