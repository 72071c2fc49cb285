"""What the demo's posts say: data only."""

TOPICS = (
    "coffee",
    "home office",
    "running",
    "indoor plants",
    "street food",
    "board games",
    "skincare",
    "cycling",
    "ceramics",
    "camping",
    "vinyl records",
    "baking",
    "minimalism",
    "road trips",
    "knitting",
    "film photography",
)

# By type of post; {topic} and {Topic} stand for one of the topics.
TEXTS = {
    "text": (
        "A year of {topic}, and the one thing I would tell my former self: start smaller.",
        "Unpopular opinion: most {topic} gear is worth buying second-hand.",
        "What got you into {topic}? For me it was a rainy weekend and a friend's garage.",
        "{Topic} question: how much do you spend in a month? I stopped counting.",
        "Finally found a seller here who really knows {topic}. Answered every question within the hour.",
        "Three months into {topic} and I still learn something new every day.",
        "Returned my first order yesterday, refund was there this morning. Back to {topic} now.",
        "Small reminder that {topic} is supposed to be fun.",
    ),
    "image": (
        "My {topic} corner, finally finished.",
        "Before and after. {Topic} makes such a difference.",
        "Sunday mood: {topic} and nothing else.",
        "It arrived! First impressions of my new {topic} kit: better than the pictures.",
        "This week's {topic} haul. No regrets.",
        "Light was perfect this morning, so here is some {topic}.",
    ),
    "video": (
        "60 seconds of {topic} to calm your day.",
        "How I set everything up for {topic}, step by step.",
        "Unboxing: is the most talked-about {topic} set worth its price?",
        "I tried {topic} every day for a month. Here is what happened.",
        "Three {topic} mistakes that everybody makes at first.",
    ),
    "link": (
        "Good read for everybody who is new to {topic}.",
        "This answers most of the {topic} questions I get.",
        "Saving this one for the weekend. {Topic} people, what do you think?",
        "Best overview of {topic} that I have seen this year.",
    ),
    "poll": (
        "{Topic}: morning or evening?\n\nA) Morning\nB) Evening\nC) Whenever the kids sleep",
        "What would you give up first?\n\nA) {Topic}\nB) Coffee\nC) Social media",
        "How much did you spend on {topic} this month?\n\nA) Nothing\nB) Under 50\nC) 50 to 200\nD) Do not ask",
    ),
}

LINKS = (
    {
        "url": "https://magazine.example.com/beginners-guide",
        "title": "A beginner's guide that does not waste your time",
        "description": "What to buy first, what to skip, and what to borrow.",
        "image": "https://magazine.example.com/images/beginners-guide.jpg",
        "site_name": "The Example Magazine",
    },
    {
        "url": "https://tests.example.org/ten-under-fifty",
        "title": "Ten finds under 50 that we would buy again",
        "description": "We tested 43 products for a quarter of a year.",
        "image": "https://tests.example.org/images/ten-under-fifty.jpg",
        "site_name": "Example Tests",
    },
    {
        "url": "https://stories.example.net/made-by-hand",
        "title": "Made by hand: a day in a two-person workshop",
        "description": "Why small makers sell online, and what they would change.",
        "site_name": "Stories",
    },
    {
        "url": "https://magazine.example.com/repair-or-replace",
        "title": "Repair or replace? A short decision table",
        "description": "Most things last longer than we think.",
        "image": "https://magazine.example.com/images/repair.jpg",
        "site_name": "The Example Magazine",
    },
)
