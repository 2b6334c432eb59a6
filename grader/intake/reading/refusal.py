"""How reading ends without a submission."""


class RefusalError(Exception):
    """What lies there cannot be opened, or is no submission."""
