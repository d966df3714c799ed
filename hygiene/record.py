"""``NamedTuple`` as in :mod:`typing`, for what hooks import: ``typing`` takes as long to load as a commit to scan.

Type checkers see :class:`typing.NamedTuple` itself. A module that uses this one needs ``from __future__ import
annotations``, so that its annotations stand in the class as text.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414 - to say that it is exported
else:
    try:
        from _collections import _tuplegetter
    except ImportError:  # not CPython
        from typing import NamedTuple
    else:

        class _Maker(type):
            """Makes of a class body with annotations a subclass of tuple."""

            def __new__(cls, name, bases, body):
                if not bases:
                    return super().__new__(cls, name, bases, body)
                fields = tuple(body.get("__annotations__", ()))
                defaults = tuple(body.pop(field) for field in fields if field in body)
                getters = {field: _tuplegetter(index, None) for index, field in enumerate(fields)}
                body |= {"__new__": _new(fields, defaults), "_fields": fields, "__match_args__": fields}
                return type(name, (_Record,), {**body, **getters, "__slots__": ()})

        class _Record(tuple):
            """What all of them can do."""

            __slots__ = ()

            def __repr__(self):
                pairs = zip(self._fields, self, strict=True)
                return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"

            def __getnewargs__(self):
                return tuple(self)

            @classmethod
            def _make(cls, values):
                return cls(*values)

            def _replace(self, **changes):
                made = self._make(map(changes.pop, self._fields, self))
                if changes:
                    raise ValueError(f"no such fields: {', '.join(changes)}")
                return made

            def _asdict(self):
                return dict(zip(self._fields, self, strict=True))

        def _new(fields, defaults):
            names = ", ".join(fields)
            # A function with these very parameters: as fast to call as one that is written out.
            made = eval(f"lambda _class, {names}: _make(_class, ({names},))", {"_make": tuple.__new__})  # noqa: S307
            made.__defaults__ = defaults
            return made

        class NamedTuple(metaclass=_Maker):
            """The base to write: a class of named fields, which is a tuple."""
