"""Which variables hold secrets, by their names alone: their values are nobody's business here."""

import re

_SECRET = re.compile(
    r"(?:.*_)?(?:"
    r"(?:API|ACCESS|SECRET|PRIVATE|ENCRYPTION|SIGNING|MASTER|AUTH|INGEST|CLIENT|APP|JWT|SESSION|COOKIE|DEPLOY)_?KEY"
    r"(?:_ID|_BASE)?|KEY|TOKEN|SECRET|SECRETS|PASSWORD|PASSWD|PASS|PASSPHRASE|PWD|PSWD|CREDENTIAL|CREDENTIALS|DSN"
    r"|SALT|PEPPER|WEBHOOK(?:_URL)?|(?:SECRET|ACCESS)_KEY\w*"
    r"|(?:DATABASE|DB|MONGO|MONGODB|REDIS|POSTGRES|POSTGRESQL|MYSQL|AMQP|RABBITMQ|BROKER|CONNECTION)_UR[LI]"
    r"|CONNECTION_STRING"
    r")(?:_[0-9]+)?",
    re.ASCII,
)
#: what is sent to every browser, or says where a secret is
_OPEN = re.compile(
    r"(?:NEXT_PUBLIC|VITE|REACT_APP|NUXT_PUBLIC|GATSBY|EXPO_PUBLIC|PUBLIC)_.*|.*(?:PUBLIC_KEY|PUBLISHABLE_KEY)"
    r"|.*_(?:FILE|PATH|DIR|NAME)|PWD|OLDPWD|HISTKEY",
    re.ASCII,
)
#: what the manifest takes for the name of a secret
_USABLE = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret, as far as a name can tell."""
    return bool(_USABLE.fullmatch(name) and _SECRET.fullmatch(name) and not _OPEN.fullmatch(name))
