"""Jupyter: code cells read the environment, outputs and texts are cleaned."""

import json

from tests.unit.replace.rewriting import rewrite, values

NOTEBOOK = r"""{
 "cells": [
  {"cell_type": "markdown", "source": ["Use ⟦text-1⟧ here\n"]},
  {
   "cell_type": "code",
   "outputs": [{"text": ["the value is ⟦output-2⟧\n"]}],
   "source": [
    "import sys\n",
    "token = \"⟦s3cret-\u00e9⟧\"\n",
    "url = f'https://u:⟦s3cret-4⟧@{sys.argv[0]}'"
   ]
  }
 ],
 "metadata": {"kernelspec": {"language": "python", "name": "python3"}}
}
"""


def test_notebook_cells_read_the_environment_and_outputs_are_clean():
    text, result = rewrite("a.ipynb", NOTEBOOK)
    cells = json.loads(text)["cells"]
    assert cells[0]["source"] == ["Use <V1> here\n"]
    assert cells[1]["outputs"] == [{"text": ["the value is <V2>\n"]}]
    assert "".join(cells[1]["source"]) == (
        'import os\nimport sys\ntoken = os.environ["V3"]\nurl = f\'https://u:{os.environ["V4"]}@{sys.argv[0]}\''
    )
    assert values(result) == [b"text-1", b"output-2", "s3cret-é".encode(), b"s3cret-4"]


def test_notebook_in_another_language_is_left():
    text, result = rewrite("a.ipynb", NOTEBOOK.replace("python", "julia"))
    assert [skip.reason for skip in result.skips] == ["the notebook is not in Python"] * 2
    assert "s3cret-4" in text
