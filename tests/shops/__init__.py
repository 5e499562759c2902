"""Shops of our own making, each a template with its perfumes and the pages around them, and the truth about every page.

SHOPS maps a name to a Shop: pages, a list of (address, bytes), and truth, which says for each address what a careful
human reads there: None where there is no perfume, else a dict. Its "brand" and "name" list every acceptable spelling;
"brand_ja" and "name_ja" are there when the page gives both spellings and both must be read; "or_none" marks a page that may be
passed over. score(shop, records) counts what came out. `python -m tests.shops [name ...]` prints it.
"""

from . import abroad, labelled, oddities, students, systems, woo
from .kit import Shop
from .scoring import Score, score

SHOPS: dict[str, Shop] = (
    woo.SHOPS | labelled.SHOPS | systems.SHOPS | abroad.SHOPS | students.SHOPS | oddities.SHOPS
)

__all__ = ["SHOPS", "Score", "Shop", "score"]
