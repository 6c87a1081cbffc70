"""The mutants of a module: its tree with one place changed.  Which places there are is a table; nothing is run here.

Left alone: docstrings and other strings, annotations, decorators, what a `raise` or an `assert` says, and `__slots__`.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_COMPARED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_COMPUTED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
Path = tuple[tuple[str, int | None], ...]
"""Fields and places from the root of a tree to a node."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change.  `what` reads `line: before -> after`."""

    line: int
    what: str
    path: Path
    after: ast.AST

    def applied(self, tree: ast.Module) -> ast.Module:
        """A copy of the tree with the change in it."""
        changed = copy.deepcopy(tree)
        node: ast.AST = changed
        for field, place in self.path[:-1]:
            node = getattr(node, field) if place is None else getattr(node, field)[place]
        field, place = self.path[-1]
        if place is None:
            setattr(node, field, self.after)
        else:
            getattr(node, field)[place] = self.after
        return ast.fix_missing_locations(changed)


def mutants(tree: ast.Module) -> list[Mutant]:
    """All mutants of a module, in the order of its text."""
    found = []
    for path, node in _places(tree, ()):
        for after in _changed(node):
            ast.copy_location(after, node)
            what = f"{ast.unparse(node).splitlines()[0]} -> {ast.unparse(after).splitlines()[0]}"
            found.append(Mutant(getattr(node, "lineno", 0), what, path, after))
    return sorted(found, key=lambda mutant: mutant.line)


def _places(node: ast.AST, path: Path) -> Iterator[tuple[Path, ast.AST]]:
    """The nodes that may be changed."""
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__slots__"):
        return
    yield path, node
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "msg"}:
            continue
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield from _places(child, (*path, (field, place)))


def _changed(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[op]):
            yield ast.Compare(node.left, [_COMPARED[type(op)]()], node.comparators)
        case ast.BinOp(op=op) if type(op) in _COMPUTED:
            yield ast.BinOp(node.left, _COMPUTED[type(op)](), node.right)
        case ast.AugAssign(op=op) if type(op) in _COMPUTED:
            yield ast.AugAssign(node.target, _COMPUTED[type(op)](), node.value)
        case ast.BoolOp(op=op):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Return(value=value) if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
        case _:
            pass
