"""How long the code of one kind of source is: its own file, without what a family gives it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

from crawlers.contract import Spider
from crawlers.declared.spider import DeclaredSpider


def code_lines(spider: Spider) -> int:
    """Lines that hold code: no blank ones, no comments, no docstrings."""
    if isinstance(spider, DeclaredSpider):
        return _plain_lines(spider.file.read_text("utf-8"))
    return python_lines(Path(inspect.getfile(type(spider))).read_text("utf-8"))


def python_lines(source: str) -> int:
    """Lines of a Python file that hold code."""
    said = {number for start, end in _docstrings(source) for number in range(start, end + 1)}
    lines = enumerate(source.splitlines(), 1)
    return sum(
        1
        for number, line in lines
        if number not in said and line.strip() and not line.lstrip().startswith("#")
    )


def _docstrings(source: str) -> list[tuple[int, int]]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                found.append((first.lineno, first.end_lineno or first.lineno))
    return found


def _plain_lines(source: str) -> int:
    lines = (line.strip() for line in source.splitlines())
    return sum(1 for line in lines if line and not line.startswith("#"))
