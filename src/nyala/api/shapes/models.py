"""Meter models and their data sheets."""

from pydantic import BaseModel


class ModelLineOut(BaseModel):
    """A meter model in a list."""

    name: str
    title: str


class ModelsOut(BaseModel):
    """All meter models."""

    items: list[ModelLineOut]


class SheetRowOut(BaseModel):
    """One row of a data sheet."""

    label_en: str
    label_id: str
    value_en: str
    value_id: str
    clause: str
    """The standard that it comes from; empty for a figure of the product sheet itself."""


class SheetGroupOut(BaseModel):
    """The rows under one heading."""

    name: str
    label_en: str
    label_id: str
    rows: list[SheetRowOut]


class DatasheetOut(BaseModel):
    """The data sheet of a model."""

    model: ModelLineOut
    groups: list[SheetGroupOut]
