import tomllib
from pathlib import Path

import jsonschema
import pytest

from hygiene.config import parse_config
from hygiene.configschema import config_schema
from hygiene.errors import ConfigError

GOOD = [
    "",
    '[scan]\nexclude = ["a/**"]\nmin_confidence = "low"\nmax_file_bytes = 5\n',
    '[rules]\ndisable = ["x"]\nfolders = ["y"]\nonly = true\n',
    '[[allow]]\nrule = "jwt"\nreason = "r"\nexpires = 2027-06-30\n',
    '[stores.prod]\nuri = "vault://secret/shop"\n[expiry]\nwhen = "warn"\n',
    '[roles.deploy]\nmembers = ["age1x"]\npaths = ["shop/**"]\nmay = ["read", "rotate"]\n',
    '[rotation]\nmax_age = "90d"\nwindow = "Sat 02:00-05:00"\n[[rotation.secrets]]\nnames = "shop/*"\n',
    '[providers.x]\nadmin = "ref+embedded://a"\nhosts = ["h"]\nsettings = {a = "b"}\n',
]
BAD = [
    "[scna]\n",
    '[scan]\nmin_confidence = "grave"\n',
    "[scan]\nexclude = 3\n",
    '[[allow]]\npath = "x"\n',
    '[[allow]]\nreason = "x"\n',
    '[roles.deploy]\nmay = ["fly"]\n',
    '[providers.x]\nadmin = "a-value"\n',
    '[expiry]\nwhen = "never"\n',
    "[rules]\nonly = 1\n",
    '[[rotation.secrets]]\nprovider = "x"\n',
]


@pytest.mark.parametrize("text", GOOD)
def test_schema_accepts_what_the_reader_accepts(text):
    parse_config(text.encode(), Path(".hygiene.toml"))
    jsonschema.validate(tomllib.loads(text), config_schema())


@pytest.mark.parametrize("text", BAD)
def test_schema_refuses_what_the_reader_refuses(text):
    with pytest.raises(ConfigError):
        parse_config(text.encode(), Path(".hygiene.toml"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), config_schema())
