"""How the tests run."""

from hypothesis import settings

settings.register_profile("minisam", deadline=None, print_blob=True)
settings.load_profile("minisam")
