"""Meter models: their data sheets."""

from typing import Annotated

from fastapi import APIRouter, Depends

from nyala.api.auth import require
from nyala.api.permissions import Permission
from nyala.api.shapes.models import DatasheetOut, ModelLineOut, ModelsOut, SheetGroupOut
from nyala.meter.datasheet import datasheet
from nyala.meter.model import MODELS, MeterModel, meter_model
from nyala.store.users import User

router = APIRouter(prefix="/models", tags=["models"])
Reader = Annotated[User, Depends(require(Permission.READ_METERS))]


def _line(model: MeterModel) -> ModelLineOut:
    return ModelLineOut(name=model.name, title=model.title)


@router.get("")
def get_models(_: Reader) -> ModelsOut:
    """All meter models."""
    return ModelsOut(items=[_line(meter_model(name)) for name in MODELS])


@router.get("/{name}/datasheet")
def get_datasheet(name: str, _: Reader) -> DatasheetOut:
    """Every figure of a model's data sheet, in groups."""
    model = meter_model(name)
    groups = [SheetGroupOut.model_validate(group, from_attributes=True) for group in datasheet(model)]
    return DatasheetOut(model=_line(model), groups=groups)
