"""How a shape is written down: the page's bytes and the record that a careful human reads from it."""

from zlib import crc32

LISTS = (
    "top_notes",
    "middle_notes",
    "last_notes",
    "notes",
    "families",
    "seasons",
    "scenes",
    "images",
    "impressions",
)


def perfume(top: str = "", middle: str = "", last: str = "", notes: str = "", **fields) -> dict:
    """A record; values of a list are joined by |."""
    record = {
        "top_notes": top,
        "middle_notes": middle,
        "last_notes": last,
        "notes": notes,
        **fields,
    }
    return {
        field: [v for v in value.split("|") if v] if field in LISTS else value
        for field, value in record.items()
    }


def shape(
    name: str,
    page: str | bytes,
    *expected: dict,
    content_type: str = "text/html; charset=UTF-8",
    or_none: bool = False,
) -> dict:
    """A shape of the table; a page given as text is sent in UTF-8."""
    html = page if isinstance(page, bytes) else page.encode()
    return {
        "id": name,
        "url": f"https://shop.example/item/{crc32(name.encode())}/",
        "html": html,
        "content_type": content_type,
        "expected": list(expected),
        "or_none": or_none,
    }
