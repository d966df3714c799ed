"""hygiene: find leaked credentials, store them, replace them, rotate them, and prove it."""

__version__ = "0.1.0"

# In a wheel, what a bare install never runs lies packed beside this file (hatch_build.py); a checkout has folders.
__path__.append(f"{__path__[0]}/rooms.zip")
