"""Names that load with their first use, so that importing a package loads nothing heavy.

References:
    Scientific Python, SPEC 1: Lazy Loading of Submodules and Functions. Its package ``lazy_loader``
    offers such a function ``attach``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


def attach(
    package: str, folders: Iterable[str], names: Mapping[str, Collection[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a package whose names load when they are used.

    Its modules are attributes as well.

    Args:
        package: the package's ``__name__``.
        folders: its ``__path__``.
        names: what the package offers, by the module (below the package) that defines it. No name
            may be that of a module of the package, the import of which would replace the name.

    Raises:
        ValueError: a name is that of a module.
    """
    modules = {found.name for found in iter_modules(folders) if not found.name.startswith("_")}
    homes = {name: module for module, held in names.items() for name in held}
    if twice := modules & set(homes):
        msg = f"{package}: {min(twice)} is the name of a module"
        raise ValueError(msg)

    def load(name: str) -> Any:  # noqa: ANN401 - whatever the module defines
        if name in homes:
            return getattr(import_module(f"{package}.{homes[name]}"), name)
        if name in modules:
            return import_module(f"{package}.{name}")
        msg = f"module {package!r} has no attribute {name!r}"
        raise AttributeError(msg)

    return load, lambda: sorted({*homes, *modules})


def late(target: str) -> Callable[..., Any]:
    """Return a function that loads another with its first call and calls it.

    Args:
        target: ``package.module:function``.

    Example:
        >>> late("math:hypot")(3, 4)
        5.0
    """
    module, _, name = target.partition(":")

    def call(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - those of the function
        return getattr(import_module(module), name)(*args, **options)

    return call
