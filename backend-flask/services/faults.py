"""Says what is wrong with a text that a caller sent, as short names."""


def faults_in(name: str, value: object, *, max_chars: int | None = None) -> list[str]:
    """List the faults of the field `name`: none, or one.

    `value` is whatever JSON can hold; None is a field that was not sent, and counts as blank, as white space
    does. A length counts code points.
    """
    if is_blank(value):
        return [f"{name}_blank"]
    if not isinstance(value, str):
        return [f"{name}_not_a_string"]
    if max_chars is not None and len(value) > max_chars:
        return [f"{name}_exceed_max_chars"]
    if not _is_unicode(value):
        return [f"{name}_not_unicode"]
    return []


def is_blank(value: object) -> bool:
    """Tell whether nothing was sent, or nothing that can be seen."""
    return value is None or (isinstance(value, str) and not value.strip())


def _is_unicode(text: str) -> bool:
    """Half a surrogate pair is valid JSON, but nothing that stores or sends UTF-8 can take it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
