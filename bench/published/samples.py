"""Texts of the kinds that authors of scanners document, made anew at each run: credentials and lookalikes.

A positive is a rule's credential in a surrounding: a language's assignment, a format, a header, an address, a command.
A negative is what such lists call a false alarm: a placeholder, a variable, a template's hole, a token that is cut
short, one of a single character, a UUID or a digest under a name that promises no secret. A token that only fails its
check is none: such lists are full of them, as examples to be found (ADR 0149).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from hygiene.detect.checksum import ANCHORED, check_secret
from hygiene.detect.known import is_placeholder
from hygiene.detect.rule import Rule
from hygiene.detect.template import fill_template

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w+)=(\S+)")
_FILLER = re.compile(r"\{[^{}]+\}")
_LEAST_FIXED = 12  # characters of a token's own that stay when its drawn part is taken away

# kind, file, text: the surroundings in which one assignment is put.
SURROUNDINGS = (
    ("shell", "deploy.sh", "export {name}={value}\n"),
    ("shell", "deploy.sh", 'readonly {name}="{value}"\n'),
    ("env file", ".env", "{name}={value}\nPORT=8080\n"),
    ("YAML", "values.yaml", "{name}: '{value}'\n"),
    ("YAML", "values.yaml", "{lower}: {value}\n"),
    ("YAML list of a pod", "pod.yaml", "        - name: {name}\n          value: {value}\n"),
    ("JSON", "config.json", '{{"env": {{"{name}": "{value}"}}}}'),
    ("JSON", "config.json", '{{\n    "{lower}": "{value}"\n}}\n'),
    ("escaped JSON", "cassette.json", '{{\\"{name}\\":\\"{value}\\"}}'),
    ("text in JSON", "config.json", '{{"config.ini": "{name}={value}\\nBACKUP_ENABLED=true"}}'),
    ("TOML", "app.toml", '[auth]\n{lower} = "{value}"\n'),
    ("ini", "app.ini", "[section]\n{name} = {value} ; set by hand\n"),
    ("properties", "app.properties", "{dotted}={value}\n"),
    ("XML", "web.config", '<add key="{name}" value="{value}" />'),
    ("XML", "pom.xml", "<{lower}>{value}</{lower}>\n"),
    ("XML", "pom.xml", "<{lower}>\n    {value}\n</{lower}>\n"),
    ("XML", "plist.xml", "<key>{name}</key>\n<string>{value}</string>\n"),
    ("JavaScript", "index.js", 'const {name} = "{value}"; // for the deployment\n'),
    ("TypeScript", "index.ts", "private readonly {lower}: string = '{value}';\n"),
    ("Python", "settings.py", 'self.{name} = os.environ.get("{name}", "{value}")\n'),
    ("Python", "settings.py", "{lower} = '{value}'\n"),
    ("Go", "main.go", 'var {lower} string = "{value}"\n'),
    ("Go", "main.go", "{lower} := `{value}`\n"),
    ("Java", "Main.java", 'private static final String {name} = "{value}";\n'),
    ("Java", "Main.java", 'System.setProperty("{name}", "{value}");\n'),
    ("Kotlin", "Main.kt", 'val {lower}: String = "{value}"\n'),
    ("C#", "Program.cs", 'string {lower} = "{value}";\n'),
    ("PHP", "config.php", "define('{name}', '{value}');\n"),
    ("PHP", "config.php", '  "{name}" => "{value}",\n'),
    ("PHP", "config.php", '${lower} .= "{value}";\n'),
    ("Ruby", "config.rb", "ENV['{name}'] ||= '{value}'\n"),
    ("Rust", "main.rs", 'const {name}: &str = "{value}";\n'),
    ("Terraform", "main.tf", 'variable "{lower}" {{\n  default = "{value}"\n}}\n'),
    ("Makefile", "Makefile", "{name} ?= {value}\n"),
    ("Dockerfile", "Dockerfile", "ENV {name} {value}\n"),
    ("command line", "run.sh", "docker run -e {name}={value} image\n"),
    ("command line", "run.sh", "deploy --{dashed} {value} --verbose\n"),
    ("address", "README.md", "https://service.example.org/v1?{lower}={value}&page=2\n"),
    ("header", "client.py", 'headers = {{"{header}": "{value}"}}\n'),
    ("comment", "values.yaml", "# {name}: {value}\n"),
    ("table", "README.md", "| `{name}` | `{value}` | for the deployment |\n"),
    ("Jenkins", "Jenkinsfile", "environment {{\n  {name} = '{value}'\n}}\n"),
    ("value below", "Main.java", 'static final String {name}\n    = "{value}";\n'),
    ("log", "server.log", "[DEBUG] using {lower}={value}\n"),
    ("log", "server.log", 'log = "started\\n{name}={value}\\nready"\n'),
)
PLACEHOLDERS = (
    "<your-key>",
    "changeme",
    "xxxxxxxxxxxxxxxx",
    "YOUR_TOKEN_HERE",
    "********",
    "REPLACE_ME",
    "[REDACTED]",
    "...",
)
REFERENCES = (
    "${{{0}}}",
    "$({0})",
    "%{0}%",
    "os.environ['{0}']",
    "process.env.{0}",
    "var.{1}",
    "ENV.fetch('{0}')",
    "env:{0}",
)
HOLES = (
    "{{{{ secrets.{0} }}}}",
    "<%= {1} %>",
    "{{{{ .Values.{1} }}}}",
    "#{{{1}}}",
    "@{{{1}}}",
    "ref+vault://secret/{1}#/value",
)
NEUTRAL = ("request_id", "commit", "revision", "build_hash", "etag", "image_digest")


class Sample(NamedTuple):
    """A text in a file, what kind it is of, and the rule that it was made for ("" where any may speak)."""

    kind: str
    path: str
    text: str
    rule: str


def positives(rule: Rule) -> Iterator[Sample]:
    """Give a rule's own examples, those that only fail its check, and its first assignment in every surrounding."""
    for number, template in enumerate(rule.positive):
        yield Sample("own examples", "example", fill_template(template, f"published {rule.id} {number}"), rule.id)
    for text in _own_negatives(rule):
        if _only_fails_its_check(rule, text):
            yield Sample("failed check", "example", text, rule.id)
    found = _assignment(rule)
    if found is None:
        return
    name, template = found
    for number, (kind, path, surrounding) in enumerate(SURROUNDINGS):
        value = fill_template(template, f"published {rule.id} {number} value")
        yield Sample(kind, path, surrounding.format(value=value, **_spellings(name)), rule.id)


def negatives(rule: Rule) -> Iterator[Sample]:
    """Give a rule's own counter-examples, and values of no worth under the name of its credential."""
    for text in _own_negatives(rule):
        if not _only_fails_its_check(rule, text):
            yield Sample("own counter-examples", "example", text, rule.id)
    found = _assignment(rule)
    if found is None:
        return
    name, template = found
    for kind, values in (("placeholder", PLACEHOLDERS), ("variable", REFERENCES), ("template", HOLES)):
        for value in values:
            yield Sample(kind, "settings.py", f'{name} = "{value.format(name, name.lower())}"\n', "")
    value = fill_template(template, f"published {rule.id} low")
    fixed = _FILLER.split(template)[0]
    if len(value) - len(fixed) >= _LEAST_FIXED:
        yield Sample("one character", "settings.py", f'{name} = "{fixed}{"x" * (len(value) - len(fixed))}"\n', "")
        yield Sample("cut short", "settings.py", f'{name} = "{value[: len(fixed) + 4]}"\n', rule.id)


def neutral(count: int) -> Iterator[Sample]:
    """Give UUIDs and digests under names that promise no secret."""
    source = Random("neutral")
    for number in range(count):
        digits = f"{source.getrandbits(256):064x}"
        name = NEUTRAL[number % len(NEUTRAL)]
        uuid = "-".join((digits[:8], digits[8:12], "4" + digits[13:16], "a" + digits[17:20], digits[20:32]))
        for kind, value in (("UUID", uuid), ("digest", digits[:40]), ("digest", digits)):
            yield Sample(kind, "settings.py", f'{name} = "{value}"\n', "")


def _own_negatives(rule: Rule) -> Iterator[str]:
    for number, template in enumerate(rule.negative):
        yield fill_template(template, f"published {rule.id} {number}")


def _only_fails_its_check(rule: Rule, text: str) -> bool:
    found = re.search(rule.pattern, text.encode()) if rule.checksum in ANCHORED else None
    return found is not None and check_secret("random", found[0]) is not False and not is_placeholder(found[0])


def _assignment(rule: Rule) -> tuple[str, str] | None:
    found = _ASSIGNMENT.fullmatch(rule.positive[0])
    return (found[1], found[2]) if found else None


def _spellings(name: str) -> dict[str, str]:
    lower = name.lower()
    return {
        "name": name,
        "lower": lower,
        "dotted": lower.replace("_", "."),
        "dashed": lower.replace("_", "-"),
        "header": "X-" + name.title().replace("_", "-"),
    }
