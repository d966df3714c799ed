"""Files of every format in every form of text (encodings, marks, line ends): edits keep it, and undo to the byte."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from hygiene.reference import Reference
from hygiene.replace.journaled import kept_units
from hygiene.replace.plan import Naming, Place
from hygiene.replace.planning import build_plan
from hygiene.replace.undo import undo

FILES = {
    "a.py": '# é\nTOKEN = "⟦s3cr€t-one-value⟧"\nx = f"u:⟦s3cond-value-22⟧@{TOKEN}"\n',
    "a.js": "// é\nconst a = '⟦s3cret-one-value⟧';\nmodule.exports = `x:⟦s3cond-value-22⟧:${a}`;\n",
    "a.ts": "// é\nconst a: string = '⟦s3cret-one-value⟧';\nexport default a;\n",
    "a.go": 'package main\n\n// é\nvar a = "⟦s3cret-one-value⟧"\n\tvar b = `x ⟦s3cond-value-22⟧`\n',
    "A.java": '// é\nclass A {\n\tString a = "⟦s3cret-one-value⟧";\n}\n',
    "a.kt": '// é\nval a = "⟦s3cret-one-value⟧"\n',
    "a.cs": '// é\nusing System;\nclass A {\n\tstring a = "⟦s3cret-one-value⟧";\n}\n',
    "a.rb": "# é\na = '⟦s3cret-one-value⟧'\n",
    "a.php": "<?php\n// é\n$a = '⟦s3cret-one-value⟧';\n",
    "a.rs": '// é\nfn main() { let a = "⟦s3cret-one-value⟧"; }\n',
    "a.scala": '// é\nobject A { val a = "⟦s3cret-one-value⟧" }\n',
    "a.sh": "# é\nA='⟦s3cret-one-value⟧'\n\tB=⟦s3cond-value-22⟧\n",
    "a.ps1": "# é\n$a = '⟦s3cret-one-value⟧'\n",
    ".env": "# é\nA=⟦s3cret-one-value⟧\nB='⟦s3cond-value-22⟧'\n",
    "a.yml": "# é\na: ⟦s3cret-one-value⟧\nb: '⟦s3cond-value-22⟧'\n",
    "docker-compose.yml": "# é\nservices:\n  a:\n    environment:\n      P: ⟦s3cret-one-value⟧\n",
    "a.json": '{"é": 1,\n\t"a": "⟦s3cret-one-value⟧"}\n',
    "appsettings.json": '{\n\t"A": {"é": "1", "B": "⟦s3cret-one-value⟧"}\n}\n',
    "a.ipynb": '{"cells": [{"cell_type": "code", "source": ["# é\\n", "a = \\"⟦s3cret-one-value⟧\\"\\n"]}],\n'
    '"metadata": {"language_info": {"name":"python"}}}\n',
    "a.toml": '# é\na = "⟦s3cret-one-value⟧"\n',
    "a.ini": "; é\n[a]\nb = ⟦s3cret-one-value⟧\n",
    "a.properties": "# é\nb = ⟦s3cret-one-value⟧\n",
    "a.xml": '<a><!-- é -->\n\t<b c="⟦s3cret-one-value⟧">⟦s3cond-value-22⟧</b></a>\n',
    "a.tf": '# é\nresource "a" "b" {\n\tp = "⟦s3cret-one-value⟧"\n}\n',
    "Dockerfile": "# é\nFROM a\nRUN curl -u u:⟦s3cret-one-value⟧ x\n",
    "README.md": "é\n\n\tpassword = ⟦s3cret-one-value⟧\n",
    "a.sql": "-- é\nCREATE ROLE app PASSWORD '⟦s3cret-one-value⟧';\n",
    ".npmrc": "; é\n//r/:_authToken=⟦s3cret-one-value⟧\n",
    ".gitlab-ci.yml": "# é\na:\n  script:\n  - curl ⟦s3cret-one-value⟧\n",
    ".github/workflows/a.yml": "# é\non: push\njobs:\n  a:\n    env:\n      P: ⟦s3cret-one-value⟧\n    steps:\n"
    "    - run: |\n        curl ⟦s3cond-value-22⟧\n",
}


class Form(NamedTuple):
    """How a text is made a file."""

    codec: str = "utf-8"
    mark: bytes = b""
    changed: Callable[[str], str] = lambda text: text


def mixed(text: str) -> str:
    lines = text.split("\n")
    return "".join(line + ("\r\n" if number % 2 else "\n") for number, line in enumerate(lines[:-1])) + lines[-1]


def windows(text: str) -> str:
    return text.replace("\n", "\r\n")


FORMS = {
    "plain": Form(),
    "windows": Form(changed=windows),
    "mixed": Form(changed=mixed),
    "old mac": Form(changed=lambda text: text.replace("\n", "\r")),
    "no final newline": Form(changed=lambda text: text.rstrip("\n")),
    "mark": Form(mark=codecs.BOM_UTF8),
    "mark, windows": Form(mark=codecs.BOM_UTF8, changed=windows),
    "utf-16-le": Form("utf-16-le", codecs.BOM_UTF16_LE, windows),
    "utf-16-be": Form("utf-16-be", codecs.BOM_UTF16_BE),
    "utf-16 without a mark": Form("utf-16-le"),
    "latin-1": Form("latin-1", changed=lambda text: text.replace("€", "e")),
}
# With a lone carriage return these programs see one line.
LEFT = {(".env", "old mac"), ("Dockerfile", "old mac")}


def file_of(path: str, form: Form) -> tuple[bytes, list[Place]]:
    content, places, line = form.mark, [], 1
    for part in re.split("(⟦.*?⟧)", form.changed(FILES[path])):
        piece = part.strip("⟦⟧").encode(form.codec)
        if part.startswith("⟦"):
            places.append(Place(path, len(content), len(content) + len(piece), line, "generic-secret", str(line)))
        content += piece
        line += part.count("\n")
    return content, places


def ends(text: str) -> set[str]:
    return set(re.findall(r"\r\n|\n|\r", text))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", FILES)
def test_file_in_any_form_is_rewritten_in_that_form_and_undone_to_the_byte(path, form):
    content, places = file_of(path, FORMS[form])
    plan = build_plan({path: content}, places, Naming("shop", lambda name: Reference("embedded", name)))
    if (path, form) in LEFT:
        assert plan.files == () and len(plan.manual) == len(places)
        return
    assert plan.manual == ()
    [file] = plan.files
    mark, codec = FORMS[form].mark, FORMS[form].codec
    assert file.after.startswith(mark)
    text = file.after[len(mark) :].decode(codec)
    assert "é" in text and "s3c" not in text
    assert ends(text) <= (ends(content[len(mark) :].decode(codec)) or {"\n"})
    [kept] = [file for unit in kept_units(plan) for file in unit.files]
    assert undo(file.after, kept.inverses, {entry.name: entry.secret for entry in plan.entries}) == content
