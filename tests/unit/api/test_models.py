"""Data sheets over the API."""

from nyala.meter.datasheet import datasheet
from nyala.meter.model import MODELS, meter_model
from tests.unit.api.estate import is_problem


def test_the_models_are_listed(readonly):
    assert [item["name"] for item in readonly.get("models", "viewer")["items"]] == list(MODELS)


def test_the_data_sheet_is_that_of_the_meter_room(readonly):
    for name in MODELS:
        said = readonly.get(f"models/{name}/datasheet", "viewer")
        assert said["model"] == {"name": name, "title": meter_model(name).title}
        rows = [(group["name"], row["label_en"], row["value_id"]) for group in said["groups"] for row in group["rows"]]
        assert rows == [(g.name, r.label_en, r.value_id) for g in datasheet(meter_model(name)) for r in g.rows]


def test_a_model_that_is_not_there_is_unknown(readonly):
    assert is_problem(readonly.ask("GET", "models/two-phase/datasheet"), 404, "unknown")["detail"] == (
        "unknown meter model: two-phase"
    )
