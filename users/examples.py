"""Examples of bodies and answers for the OpenAPI document. The tests send the bodies and get the answers."""

from typing import Any

SIGN_UP: dict[str, Any] = {
    "email": "ada@example.com",
    "password": "correct horse",
    "display_name": "Ada Lovelace",
    "phone": "+43 1 2345678",
    "bio": "Writes programs.",
}
CHANGES = {"display_name": "Ada King", "avatar": "https://img.example.com/ada.jpg", "version": 1}
USER: dict[str, Any] = {
    "id": "65f0c0ffee0123456789ab01",
    "contact_info": {"primary_email": "ada@example.com", "additional_emails": [], "phone": "+43 1 2345678"},
    "profile": {
        "display_name": "Ada Lovelace",
        "avatar": "https://cdn.example.com/avatars/default.jpg",
        "bio": "Writes programs.",
        "date_of_birth": None,
    },
    "deleted_at": None,
    "version": 1,
    "created_at": "2026-05-04T08:30:00.000Z",
    "updated_at": "2026-05-04T08:30:00.000Z",
}
CHANGED = USER | {
    "profile": USER["profile"] | {"display_name": "Ada King", "avatar": "https://img.example.com/ada.jpg"},
    "version": 2,
    "updated_at": "2026-05-05T17:00:00.000Z",
}
