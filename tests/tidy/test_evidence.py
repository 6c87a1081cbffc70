"""docs/evidence.md and docs/product-sheet.md name only what is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / "evidence.md", ROOT / "docs" / "product-sheet.md", ROOT / "docs" / "laws.md"]
NAMED = re.compile(r"`((?:tests|src|docs)/[\w./*-]+)(?:::(\w+))?`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_and_test_that_is_named_exists(page):
    missing = []
    for name, test in NAMED.findall(page.read_text(encoding="utf-8")):
        files = list(ROOT.glob(name))
        if not files:
            missing.append(name)
        elif test:
            functions = [
                n.name
                for n in ast.walk(ast.parse(files[0].read_text()))
                if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
            ]
            if test not in functions:
                missing.append(f"{name}::{test}")
    assert missing == []


def test_the_evidence_names_tests():
    assert len(NAMED.findall(PAGES[0].read_text(encoding="utf-8"))) > 50
