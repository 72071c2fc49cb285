"""Bodies for the API out of values that databases are known to change: hard texts, numbers at their limits, twins."""

from typing import Any

from hypothesis import strategies as st

from tests.api import ADDRESS, LOCATION, SUPPLIER, unique_email, unique_number
from tests.dotted import with_value

# Four bytes each, combining, right to left, control characters, other spaces, escapes of SQL, JSON and formats.
HARD = [
    *("Red", "red", "Réd", "Re\u0301d", "RED", "straße", "STRASSE", "İi", "ﬁ", "ö" * 3, "a  b", "a\u00a0b", "x\u200by"),
    *(
        "👩‍👩‍👧‍👦",
        "😀 z",
        "\U0010ffff",
        "\ufffe",
        "\ufeffbom",
        "\u202eright",
        "\u2028line",
        "a\tb\r\nc",
        "\x01\x1b[31m\x7f",
        "\x85next",
    ),
    *(
        "'; DROP TABLE users; --",
        '"',
        "\\",
        "\\'",
        "\\u0000",
        "\\0",
        "%s %(a)s {}",
        "NULL",
        "null",
        "0",
        "-0",
        "1e999",
        "true",
    ),
    *("2016-12-31T23:59:60Z", "<b>&amp;", "`", "$ne", "a.b", "\U0001d573\U0001d592", "नि", "각", "각", "0x41", "=1+1"),
]
_ANY = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


def text(most: int, least: int = 1) -> st.SearchStrategy[str]:
    """Return texts of `least` to `most` characters that trimming leaves as they are."""
    return st.one_of(
        st.sampled_from(HARD).map(lambda one: (one * least)[:most]),
        st.text(_ANY, min_size=least, max_size=min(most, 12)),
        st.sampled_from("😀é\u0301x").map(lambda one: "x" + one * (most - 2) + "y" if most > 2 else "x" * most),
    ).filter(lambda one: one == one.strip() and len(one) >= least)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return values of the strategy, and null."""
    return st.none() | strategy


URLS = st.sampled_from(
    ["https://example.com/a?q=%F0%9F%98%80&x='(1)#y", "HTTP://xn--exmple-cua.com/", "https://example.com/" + "x" * 2028]
)
CENTS = st.sampled_from([0, 1, 999_999_999, 1_000_000_000]) | st.integers(0, 1_000_000_000)
LENGTHS = st.one_of(
    st.sampled_from(
        [0.1, 0.30000000000000004, 5e-324, 2.2250738585072014e-308, 1e-7, 1 / 3, 1, 1_000_000, 999_999.9999999999]
    ),
    st.floats(min_value=0, max_value=1_000_000, exclude_min=True),
)
ADDRESSES = st.fixed_dictionaries(
    {name: text(most) for name, most in (("street_address_1", 200), ("city", 100), ("state", 100), ("zip_code", 20))}
).map(lambda drawn: ADDRESS | drawn)
# With a quote, an upper-case domain, and as long as an address can be with a part of 64 characters before the @.
EMAILS = st.sampled_from(
    ["{}@example.com", "{}.o'hara+x@Example.COM", "{}@" + ".".join(["x" * 60] * 3) + ".example.com"]
)


def email(pattern: str) -> str:
    return pattern.format(f"u{unique_number()}")


USERS = st.fixed_dictionaries(
    {
        "email": EMAILS.map(email),
        "password": st.just("correct horse"),
        "display_name": text(100),
        "phone": maybe(text(20)),
        "bio": maybe(text(500)),
    }
)


@st.composite
def suppliers(draw: Any) -> dict[str, Any]:
    body = with_value(SUPPLIER, "contact_info.primary_email", unique_email())
    for path, strategy in {
        "contact_info.primary_phone": text(50),
        "contact_info.contact_person_name": maybe(text(200)),
        "contact_info.contact_person_title": maybe(text(100)),
        "contact_info.contact_person_email": maybe(EMAILS.map(email)),
        "company_info.legal_name": text(200, least=2),
        "company_info.dba_name": maybe(text(200)),
        "company_info.business_address": ADDRESSES,
        "business_info.instagram_handle": maybe(text(100)),
        "business_info.facebook_url": maybe(URLS),
        "business_info.timezone": st.sampled_from(["America/Argentina/ComodRivadavia", "UTC", "Europe/Vienna"]),
    }.items():
        body = with_value(body, path, draw(strategy))
    return body


# Trailing spaces stay here: keys are not trimmed.
KEYS = (st.sampled_from(["Red", "red", "Réd", "Re\u0301d", "red ", " red", "RED", "ＲＥＤ"]) | text(200)).filter(
    lambda key: "." not in key and not key.startswith("$")
)
VARIANTS = st.fixed_dictionaries(
    {
        "variant_id": text(50),
        "variant_name": text(200),
        "attributes": st.lists(
            st.fixed_dictionaries({"attribute_name": text(50), "attribute_value": text(100)}), max_size=3
        ),
        "price_cents": CENTS,
        "cost_cents": maybe(CENTS),
        "quantity": st.sampled_from([99, 1_000_000_000]),
        "package_dimensions": st.fixed_dictionaries(dict.fromkeys(("width_cm", "height_cm", "depth_cm"), LENGTHS)),
        "image_url": maybe(URLS),
    }
)
PRODUCTS = st.fixed_dictionaries(
    {
        "name": text(200),
        "short_description": maybe(text(500)),
        "category": st.just("other"),
        "unit_type": st.sampled_from(["ml", "bundle"]),
        "base_sku": text(100),
        "brand": maybe(text(100)),
        "base_price_cents": CENTS,
        "variants": st.dictionaries(KEYS, VARIANTS, min_size=1, max_size=4),
        "stock_locations": st.just([LOCATION]),
    }
)
SHIPPING = st.tuples(ADDRESSES, text(200), maybe(text(20))).map(
    lambda drawn: drawn[0] | {"recipient_name": drawn[1], "phone": drawn[2]}
)
POSTS = st.fixed_dictionaries(
    {
        "post_type": st.just("link"),
        "text_content": text(5000),
        "media": st.lists(
            st.fixed_dictionaries(
                {
                    "media_type": st.just("video"),
                    "media_url": URLS,
                    "width": st.sampled_from([0, 1_000_000]),
                    "duration_seconds": maybe(LENGTHS),
                    "size_bytes": st.sampled_from([0, 2**53 - 1]),
                }
            ),
            max_size=2,
        ),
        "link_preview": maybe(
            st.fixed_dictionaries(
                {"url": URLS, "title": text(200), "description": maybe(text(500)), "site_name": text(200)}
            )
        ),
    }
)
