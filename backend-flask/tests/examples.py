"""Requests that the routes answer with 200."""

# Paths of lists, and how many entries they have.
LISTS = [
    ("/api/activities/home", 3),
    ("/api/activities/notifications", 1),
    ("/api/activities/@andrewbrown", 1),
    ("/api/activities/search?term=cloud", 1),
    ("/api/activities/made-up", 1),
    ("/api/message_groups", 2),
    ("/api/messages/@worf", 2),
]

# Paths that take a body, and a good one.
POSTS: list[tuple[str, dict[str, object]]] = [
    ("/api/activities", {"message": "made up", "ttl": "1-day"}),
    ("/api/activities/made-up/reply", {"message": "made up"}),
    ("/api/messages", {"message": "made up", "user_receiver_handle": "worf"}),
]
