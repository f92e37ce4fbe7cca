"""Writes the page anew: `make docs`."""

from tests.docs.page import PAGE, page

PAGE.parent.mkdir(exist_ok=True)
PAGE.write_text(page(), encoding="utf-8")
