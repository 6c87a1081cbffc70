"""The same laws on PostgreSQL, the database of production."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from nyala.sim.setup import Scenario
from nyala.sim.simulation import simulate
from nyala.store.engine import open_engine, upgrade
from nyala.store.keys import ENVIRONMENT
from nyala.store.lock import CentreLock
from nyala.store.schema import metadata
from nyala.store.verify import verify
from nyala.vocab.errors import SurroundingsError
from tests import postgres


@pytest.fixture
def url(tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "keys"))
    with postgres.server() as found:
        yield found


def test_a_run_with_outages_keeps_the_laws_on_postgresql(url):
    scenario = Scenario(meters=6, days=2, loss=0.1, outages=3, seed=9)
    report = simulate(scenario, url)
    assert [law for law in report["laws"] if not law["holds"]] == []
    here = simulate(scenario)
    assert {**report, "wall": 0} == {**here, "wall": 0}
    engine = open_engine(url)
    assert verify(engine).wrong == []
    engine.dispose()


def test_the_schema_is_the_same_and_only_one_centre_runs_on_it(url):
    engine = open_engine(url)
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    with CentreLock(engine), pytest.raises(SurroundingsError, match="another nyala"), CentreLock(engine):
        pass
    engine.dispose()
