"""One file a command; the only room that composes."""

import hygiene

__path__.append(f"{hygiene.__path__[-1]}/cli")
