"""Postal addresses, as suppliers and orders have them."""

import mongoengine as me

from marketplace.fields import CountryField
from marketplace.mongo import EmbeddedDocument


class AddressLines(EmbeddedDocument):
    """The lines of an address, for addresses with more to them."""

    meta = {"abstract": True}

    street_address_1 = me.StringField(required=True, min_length=1, max_length=200)
    street_address_2 = me.StringField(max_length=200)
    city = me.StringField(required=True, min_length=1, max_length=100)
    state = me.StringField(required=True, min_length=1, max_length=100)
    zip_code = me.StringField(required=True, min_length=1, max_length=20)
    country = CountryField(required=True, help_text="ISO 3166-1 alpha-2.")


class Address(AddressLines):
    """A postal address."""
