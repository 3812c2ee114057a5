"""The error that a user of the packager is shown."""


class PackagingError(Exception):
    """What went wrong, why, and what to do about it, in sentences for a person."""
