"""What a specimen is tested against: the classes that its sheet declares, or that somebody asks for.

The sheet's words ("1 (IEC 62053-21), B (MID)") become classes of standards by `data/profiles.toml`; a profile there
chooses among them.  A point is measured once and judged by every class that has a limit for it.
"""

from dataclasses import dataclass

from nyala.lab.limits import ClassOf, LimitRow, connection_of, limit_rows, profile_table
from nyala.lab.load import Energy
from nyala.meter.model import MeterModel
from nyala.vocab.errors import NotAllowedError, UnknownError

DEFAULT = "sheet"


@dataclass(frozen=True, slots=True)
class LimitProfile:
    """Classes that are walked, by energy."""

    name: str
    title: str
    active: tuple[ClassOf, ...]
    reactive: tuple[ClassOf, ...]

    def classes(self, energy: Energy) -> tuple[ClassOf, ...]:
        """The classes of one energy."""
        return self.active if energy is Energy.ACTIVE else self.reactive

    def limits(self, model: MeterModel, energy: Energy, loaded: str) -> tuple[LimitRow, ...]:
        """The rows of the limit table that hold for a model, in the table's order."""
        return tuple(
            row
            for row in limit_rows()
            if row.of in self.classes(energy)
            and (row.energy, row.loaded, row.connection) == (energy, loaded, connection_of(model))
        )


def declared_classes(text: str) -> tuple[ClassOf, ...]:
    """The classes that a sheet's text names; UnknownError for one that the table does not know."""
    table = {row["says"]: ClassOf(row["standard"], row["class"]) for row in profile_table()["declaration"]}
    found = []
    for part in text.split(", "):
        if part not in table:
            raise UnknownError("accuracy class of a sheet", part)
        found.append(table[part])
    return tuple(found)


def profile_names() -> tuple[str, ...]:
    """Names of the profiles."""
    return tuple(row["name"] for row in profile_table()["profile"])


def limit_profile(model: MeterModel, name: str = DEFAULT, accuracy_class: str = "") -> LimitProfile:
    """A profile for a model; `accuracy_class` puts one class of active energy in the place of the declared ones.

    UnknownError for a profile or class that no table has; NotAllowedError for a class without limits for its connection.
    """
    chosen = next((row for row in profile_table()["profile"] if row["name"] == name), None)
    if chosen is None:
        raise UnknownError("limit profile", f"{name} ({', '.join(profile_names())} are there)")
    active = tuple(of for of in declared_classes(model.active_class) if of.standard in chosen["standards"])
    reactive = tuple(of for of in declared_classes(model.reactive_class) if of.standard in chosen["standards"])
    if accuracy_class:
        active = _asked(model, accuracy_class)
        return LimitProfile(f"class-{accuracy_class}", f"Class {accuracy_class}, as asked for", active, reactive)
    return LimitProfile(name, chosen["title"], active, reactive)


def _asked(model: MeterModel, accuracy_class: str) -> tuple[ClassOf, ...]:
    rows = [row for row in limit_rows() if row.of.accuracy_class == accuracy_class and row.energy is Energy.ACTIVE]
    if not rows:
        raise UnknownError("accuracy class of active energy", accuracy_class)
    fitting = [row.of for row in rows if row.connection == connection_of(model)]
    if not fitting:
        raise NotAllowedError(f"class {accuracy_class} has no limits for a {connection_of(model)} connected meter")
    return tuple(dict.fromkeys(fitting))
