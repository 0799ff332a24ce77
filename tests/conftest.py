"""Hypothesis profiles for the whole suite; the environment variable HYPOTHESIS_PROFILE chooses one.

`quick`, the default, keeps the suite short, and on CI repeats the same examples at every run, so that a change alone
can turn it red. `thorough` looks for new counterexamples.
"""

import os

from hypothesis import settings

settings.register_profile("quick", max_examples=25, deadline=None, derandomize="CI" in os.environ)
settings.register_profile("thorough", max_examples=1000, deadline=None, derandomize=False, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
