"""The stores that these tests run on: one upgraded template for each database, copied for each test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from nyala.store.engine import open_engine, store_url, upgrade
from nyala.store.keys import ENVIRONMENT, KeyFile
from tests import postgres

Make = Callable[[Path], str]


def sqlite(folder: Path) -> Make:
    """Copies of a folder with an upgraded database."""
    engine = open_engine(str(folder / "template"), durable=False)
    upgrade(engine)
    engine.dispose()

    def make(where: Path) -> str:
        shutil.copytree(folder / "template", where)
        return str(where)

    return make


def postgresql(url: str, key_file: Path) -> Make:
    """Databases that are made from an upgraded one."""
    engine = open_engine(url, key_file=str(key_file))
    upgrade(engine)
    engine.dispose()
    administrator = create_engine(store_url(url).rsplit("/", 1)[0] + "/template1", isolation_level="AUTOCOMMIT")
    made = 0

    def make(_: Path) -> str:
        nonlocal made
        made += 1
        with administrator.connect() as connection:
            connection.execute(text(f"CREATE DATABASE test{made} TEMPLATE postgres"))
        administrator.dispose()
        return url.rsplit("/", 1)[0] + f"/test{made}"

    return make


DATABASES = ["sqlite", *(["postgresql"] if postgres.wanted() else [])]


@pytest.fixture(scope="session", params=DATABASES)
def make_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Makes an empty store of this version of nyala; answers its URL or folder."""
    if request.param == "sqlite":
        yield sqlite(tmp_path_factory.mktemp("stores"))
    else:
        with postgres.server() as url:
            yield postgresql(url, tmp_path_factory.mktemp("template") / "keys")


@pytest.fixture(scope="package", autouse=True)
def _key_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One key file for the stores of these tests: beside a PostgreSQL database there is no place."""
    path = tmp_path_factory.mktemp("keys") / "keys"
    KeyFile(path).make()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT, str(path))
        yield


@pytest.fixture
def where(make_store: Make, tmp_path: Path) -> str:
    """An empty store."""
    return make_store(tmp_path / "store")


@pytest.fixture
def engine(where: str) -> Iterator[Engine]:
    """An engine on an empty store."""
    opened = open_engine(where, durable=False)
    yield opened
    opened.dispose()
