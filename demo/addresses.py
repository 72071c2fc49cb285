"""Names, phone numbers and addresses. Cities are real and match their state, code and country; streets are made up."""

from random import Random
from typing import Any, NamedTuple

from faker import Faker

_faker = Faker("en_US")


class City(NamedTuple):
    """A city with what belongs to it."""

    city: str
    state: str
    zip_code: str
    country: str
    timezone: str


CITIES = (
    City("New York", "NY", "10011", "US", "America/New_York"),
    City("Brooklyn", "NY", "11215", "US", "America/New_York"),
    City("Boston", "MA", "02116", "US", "America/New_York"),
    City("Atlanta", "GA", "30308", "US", "America/New_York"),
    City("Miami", "FL", "33131", "US", "America/New_York"),
    City("Chicago", "IL", "60614", "US", "America/Chicago"),
    City("Austin", "TX", "78704", "US", "America/Chicago"),
    City("Minneapolis", "MN", "55401", "US", "America/Chicago"),
    City("Denver", "CO", "80203", "US", "America/Denver"),
    City("Phoenix", "AZ", "85004", "US", "America/Phoenix"),
    City("Seattle", "WA", "98101", "US", "America/Los_Angeles"),
    City("Portland", "OR", "97209", "US", "America/Los_Angeles"),
    City("San Francisco", "CA", "94107", "US", "America/Los_Angeles"),
    City("San Diego", "CA", "92103", "US", "America/Los_Angeles"),
    City("Toronto", "ON", "M5V 2T6", "CA", "America/Toronto"),
    City("Vancouver", "BC", "V6B 1A1", "CA", "America/Vancouver"),
    City("London", "England", "SE1 9GF", "GB", "Europe/London"),
    City("Manchester", "England", "M1 1AE", "GB", "Europe/London"),
    City("Dublin", "Leinster", "D02 X285", "IE", "Europe/Dublin"),
    City("Berlin", "Berlin", "10115", "DE", "Europe/Berlin"),
    City("Amsterdam", "Noord-Holland", "1012 AB", "NL", "Europe/Amsterdam"),
    City("Melbourne", "VIC", "3000", "AU", "Australia/Melbourne"),
)


def names(random: Random) -> tuple[str, str]:
    """Return a first name and a surname."""
    _faker.seed_instance(random.getrandbits(64))
    return _faker.first_name(), _faker.last_name()


def company(random: Random) -> str:
    """Return a company's name."""
    _faker.seed_instance(random.getrandbits(64))
    return str(_faker.company())


def phone(random: Random) -> str:
    """Return a phone number out of a range that belongs to nobody."""
    return f"+1 {random.randint(201, 989)} 555 {random.randint(100, 199):04}"


def street(random: Random) -> str:
    """Return a street with its number."""
    _faker.seed_instance(random.getrandbits(64))
    return f"{random.randint(1, 990)} {_faker.street_name()}"


def city(random: Random) -> City:
    """Return a city, the ones on top of the list more often."""
    return random.choices(CITIES, weights=range(len(CITIES) + 6, 6, -1))[0]


def address(random: Random) -> dict[str, Any]:
    """Return an address as a request body has it."""
    place = city(random)
    return {
        "street_address_1": street(random),
        "street_address_2": f"Apt {random.randint(1, 60)}" if random.random() < 0.3 else None,
        "city": place.city,
        "state": place.state,
        "zip_code": place.zip_code,
        "country": place.country,
    }
