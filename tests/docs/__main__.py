"""Writes the pages anew: `make docs`."""

from tests.docs import access, operations, page

for written in (access, operations, page):
    written.PAGE.write_text(written.page(), encoding="utf-8")
