"""What the demo's suppliers sell: data only."""

from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of product: its price range, what variants differ in (None: no variants), and each variant's surcharge."""

    name: str
    pitch: str
    least_cents: int
    most_cents: int
    option: str | None = None
    step_cents: int = 0
    unit_type: str = "piece"


OPTIONS = {
    "Colour": ("Black", "White", "Sand", "Forest green", "Navy", "Coral"),
    "Size": ("XS", "S", "M", "L", "XL", "XXL"),
    "Shoe size": ("37", "38", "39", "40", "41", "42", "43", "44"),
    "Storage": ("64 GB", "128 GB", "256 GB", "512 GB"),
    "Scent": ("Unscented", "Lavender", "Cedar", "Citrus", "Rose"),
    "Flavour": ("Original", "Dark chocolate", "Vanilla", "Hazelnut", "Chili"),
    "Weight": ("4 kg", "8 kg", "12 kg", "16 kg"),
    "Format": ("Paperback", "Hardcover", "Gift edition"),
}
ADJECTIVES = ("Classic", "Everyday", "Compact", "Premium", "Nordic", "Essential", "Signature", "Modern", "Original")
BRANDS = ("Alder & Finch", "Brightwater", "Corvane", "Dunmore", "Elmstreet", "Fjordline", "Halden", "Kitewood")
CARE = (
    "Designed with the people who use it every day, and tested for a year before we sold the first one.",
    "Small batches, spare parts for at least ten years, and a repair service that answers.",
    "Our best seller three years in a row.",
    "Packed without plastic; the carton is its own shipping box.",
)

ASSORTMENT = {
    "electronics": (
        Kind("Wireless Earbuds", "Clear sound and 30 hours with the case", 3900, 17900, "Colour"),
        Kind("Bluetooth Speaker", "Small, loud and waterproof", 2900, 14900, "Colour"),
        Kind("USB-C Charger 65 W", "Charges a laptop and two phones at once", 2400, 5900),
        Kind("E-Reader", "Weeks of battery and a screen like paper", 9900, 24900, "Storage", 2500),
        Kind("Mechanical Keyboard", "Quiet switches and a frame of aluminium", 6900, 18900),
    ),
    "fashion": (
        Kind("Cotton T-Shirt", "Heavy organic cotton that keeps its shape", 1500, 3900, "Size"),
        Kind("Denim Jacket", "Cut wide enough for a jumper underneath", 5900, 12900, "Size"),
        Kind("Leather Sneakers", "Resoleable, and comfortable from the first day", 7900, 15900, "Shoe size", 0, "pair"),
        Kind("Merino Scarf", "Soft, light and warm", 2900, 6900, "Colour"),
        Kind("Canvas Backpack", "Holds a laptop, lunch and a spare shirt", 4900, 9900, "Colour"),
    ),
    "beauty": (
        Kind("Face Cream", "Light, for day and night", 1200, 4900, "Scent"),
        Kind("Shampoo Bar", "Lasts as long as three bottles", 700, 1500, "Scent"),
        Kind("Make-up Brush Set", "Eight brushes in a rolled case", 1900, 5900, None, 0, "set"),
        Kind("Vitamin C Serum", "Brightens within weeks", 1400, 3900, None, 0, "ml"),
    ),
    "home_garden": (
        Kind("Desk Lamp", "Warm light that dims without steps", 2900, 11900, "Colour"),
        Kind("Linen Bedding Set", "Cool in summer, warm in winter", 7900, 19900, "Colour", 0, "set"),
        Kind("Plant Pot", "Fired twice, with a hidden saucer", 900, 4900, "Colour"),
        Kind("Pruning Shears", "Forged steel that can be sharpened", 1900, 5900),
        Kind("Cast Iron Pan", "Pre-seasoned, for every hob", 2900, 8900),
    ),
    "sports_outdoors": (
        Kind("Yoga Mat", "Grips even when it gets sweaty", 1900, 7900, "Colour"),
        Kind("Kettlebell", "One casting, no seams", 1900, 4900, "Weight", 1200),
        Kind("Two-Person Tent", "Stands in five minutes", 9900, 34900),
        Kind("Trail Running Shoes", "Hold on wet rock", 8900, 16900, "Shoe size", 0, "pair"),
    ),
    "food_beverage": (
        Kind("Espresso Beans 1 kg", "Roasted every Tuesday", 1400, 3200, None, 0, "kg"),
        Kind("Granola", "Baked slowly with little sugar", 500, 1200, "Flavour", 50, "pack"),
        Kind("Olive Oil 0.5 l", "One harvest, one grove", 900, 2400, None, 0, "liter"),
        Kind("Chocolate Box", "Twelve pieces made by hand", 1200, 3900, "Flavour", 100, "box"),
    ),
    "health_wellness": (
        Kind("Massage Gun", "Quiet enough for the living room", 4900, 15900, "Colour"),
        Kind("Weighted Blanket", "Even weight, washable cover", 5900, 13900, "Weight", 1500),
        Kind("Herbal Tea Selection", "Six blends for the evening", 900, 2400, None, 0, "box"),
        Kind("Sleep Mask", "Dark without pressure on the eyes", 900, 2900, "Colour"),
    ),
    "toys_games": (
        Kind("Wooden Train Set", "Fits the tracks you have already", 2900, 8900, None, 0, "set"),
        Kind("Strategy Board Game", "Two to five players, ninety minutes", 2400, 6900),
        Kind("1000-Piece Puzzle", "Thick pieces and a poster to go by", 1200, 2400),
        Kind("Building Blocks", "Beech wood, oiled not painted", 1900, 6900, "Colour", 0, "set"),
    ),
    "books_media": (
        Kind("Cookbook", "Eighty dishes for two, none over an hour", 1900, 3900, "Format", 700),
        Kind("City Guide", "Written by people who live there", 1200, 2400, "Format", 700),
        Kind("Notebook", "Paper that takes fountain pens", 900, 2400, "Colour"),
        Kind("Vinyl Album", "Pressed on 180 grams", 1900, 3900),
    ),
    "automotive": (
        Kind("Phone Mount", "Holds on every dashboard", 1200, 3900),
        Kind("Tyre Inflator", "Stops by itself at the right pressure", 3900, 8900),
        Kind("Seat Cover", "Washable, fits without tools", 2900, 9900, "Colour", 0, "set"),
        Kind("Car Care Kit", "Everything for paint, glass and wheels", 2400, 6900, None, 0, "bundle"),
    ),
    "other": (
        Kind("Gift Card Set", "Twenty cards for twenty occasions", 900, 1900, None, 0, "pack"),
        Kind("Travel Adapter", "Works in 150 countries", 1900, 4900),
        Kind("Storage Box", "Folds flat when it is empty", 1200, 3900, "Colour", 0, "box"),
        Kind("Scented Candle", "Burns for fifty hours", 1400, 3900, "Scent"),
    ),
}
