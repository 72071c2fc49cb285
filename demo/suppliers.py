"""The demo's suppliers: made-up companies. The first one has the demo password, the others have none.

They are found by their email and get random ids: one that was removed for good must not come back under its old id,
which consumers have marked as gone.
"""

import functools
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from catalog.serializers import SupplierCreateSerializer
from catalog.services import supplier_create, supplier_list
from demo.addresses import address, city, company, names, phone
from demo.generation import Demand, Item, after, draw, validated
from demo.people import DEMO_PASSWORD, EMAIL
from marketplace.mongo import Readable, Stored
from marketplace.pages import Window

TITLES = ("Owner", "Managing Director", "Head of Sales", "Account Manager", "Operations Manager")
BANKS = ("First Harbor Bank", "Union Credit", "Northern Savings", "Commerce Trust")
DOMAIN = "demo.example"  # of their emails; nobody can register it
FIRST = {"primary_email": f"supplier@{DOMAIN}"}
MAX_SUPPLIERS = 1000


def items(demand: Demand) -> Iterator[Item]:
    """Return the suppliers, who signed up one to two years before the end."""
    for number in range(demand.count):
        body = _body(demand.seed, number)
        joined = demand.until - after(draw(demand.seed, "joined", number), timedelta(days=366), timedelta(days=730))
        email = body["contact_info"]["primary_email"]
        yield Item("suppliers", email, functools.partial(_make, body, joined, number), field=EMAIL)


def seeded() -> list[Readable]:
    """Return the suppliers that are demo data: the one with the password first, the others in the order of emails."""
    found = supplier_list(window=Window(MAX_SUPPLIERS)).documents
    suppliers = {one["contact_info"]["primary_email"]: one for one in found}
    in_order = sorted(suppliers, key=lambda email: (email != FIRST["primary_email"], email))
    return [suppliers[email] for email in in_order if email.endswith(DOMAIN)]


def _make(body: dict[str, Any], joined: datetime, number: int) -> Stored:
    changes = validated(SupplierCreateSerializer, body)
    password = changes.pop("password")
    return supplier_create(password=password if number == 0 else None, changes=changes, at=joined)


def _body(seed: int, number: int) -> dict[str, Any]:
    random = draw(seed, "supplier", number)
    name = company(random)
    handle = re.sub(r"[^a-z]+", "", name.lower())
    domain = f"{handle}{number + 1}.{DOMAIN}"
    return {
        "password": DEMO_PASSWORD,
        "contact_info": _contact_info(seed, number, domain) | (FIRST if number == 0 else {}),
        "company_info": {
            "legal_name": name,
            "dba_name": f"{name.split(' ')[0].strip(',')} Shop" if random.random() < 0.4 else None,
            "business_address": address(random),
            "shipping_address": address(random) if random.random() < 0.5 else None,
        },
        "business_info": {
            "facebook_url": f"https://www.facebook.com/{handle}" if random.random() < 0.6 else None,
            "instagram_handle": f"@{handle}" if random.random() < 0.8 else None,
            "twitter_handle": f"@{handle}" if random.random() < 0.4 else None,
            "linkedin_url": f"https://www.linkedin.com/company/{handle}" if random.random() < 0.5 else None,
            "timezone": city(random).timezone,
            "support_email": f"support@{domain}",
            "support_phone": phone(random),
        },
        "banking_info": {
            "bank_name": random.choice(BANKS),
            "account_holder_name": name,
            "account_number_last4": f"{random.randrange(10_000):04}",
        },
    }


def _contact_info(seed: int, number: int, domain: str) -> dict[str, Any]:
    random = draw(seed, "contact", number)
    first, last = names(random)
    return {
        "primary_email": f"hello@{domain}",
        "primary_phone": phone(random),
        "contact_person_name": f"{first} {last}",
        "contact_person_title": random.choice(TITLES),
        "contact_person_email": f"{first}.{last}@{domain}".lower(),
        "contact_person_phone": phone(random),
    }
