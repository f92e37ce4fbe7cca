"""Writes the pages anew: `make docs`."""

from tests.docs import operations, page

for written in (operations, page):
    written.PAGE.write_text(written.page(), encoding="utf-8")
