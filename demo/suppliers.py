"""The demo's suppliers: made-up companies, all with the demo password."""

import functools
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bson import ObjectId

from catalog.serializers import SupplierCreateSerializer
from catalog.services import supplier_create, supplier_list
from demo.addresses import address, city, company, names, phone
from demo.generation import Demand, Item, after, demo_id, draw, validated
from demo.people import DEMO_PASSWORD
from marketplace.mongo import Stored

TITLES = ("Owner", "Managing Director", "Head of Sales", "Account Manager", "Operations Manager")
BANKS = ("First Harbor Bank", "Union Credit", "Northern Savings", "Commerce Trust")
MAX_SUPPLIERS = 1000


def items(demand: Demand) -> Iterator[Item]:
    """Return the suppliers, who signed up one to two years before the end."""
    for number in range(demand.count):
        body = _body(demand.seed, number)
        joined = demand.until - after(draw(demand.seed, "joined", number), timedelta(days=366), timedelta(days=730))
        new_id = demo_id("suppliers", body["contact_info"]["primary_email"])
        yield Item("suppliers", new_id, functools.partial(_make, body, joined, new_id))


def seeded() -> list[Stored]:
    """Return the suppliers that are demo data: their id follows from their email."""
    suppliers = supplier_list(skip=0, limit=MAX_SUPPLIERS)
    return [one for one in suppliers if one["_id"] == demo_id("suppliers", one["contact_info"]["primary_email"])]


def _make(body: dict[str, Any], joined: Any, new_id: ObjectId) -> Stored:
    changes = validated(SupplierCreateSerializer, body)
    return supplier_create(password=changes.pop("password"), changes=changes, at=joined, new_id=new_id)


def _body(seed: int, number: int) -> dict[str, Any]:
    random = draw(seed, "supplier", number)
    name = company(random)
    handle = re.sub(r"[^a-z]+", "", name.lower())
    domain = f"{handle}{number + 1}.example"
    return {
        "password": DEMO_PASSWORD,
        "contact_info": _contact_info(seed, number, domain),
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
