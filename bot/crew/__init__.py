"""Who says what the findings mean. This package is the only importer of crewai, and never at import time."""
