"""Who is asking: always the same user, until there is a log-in."""

USER_HANDLE = "andrewbrown"
