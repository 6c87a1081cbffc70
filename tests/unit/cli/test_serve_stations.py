"""`nyala serve` says what is wrong with the settings of the Basics Station port before it opens anything."""

import pytest


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ('station_cert = "cert.pem"', "station_cert and station_key go together"),
        ('station_key = "key.pem"', "station_cert and station_key go together"),
        ('station_cert = "cert.pem"\nstation_key = "key.pem"', "cert.pem: no certificate and key of a server"),
        ('stations = "none.toml"', "none.toml: "),
        ("station_port = '8887'", "station_port must be int"),
    ],
)
def test_settings_of_stations_that_are_wrong_are_refused_in_one_line(nyala, tmp_path, settings, why):
    path = tmp_path / "nyala.toml"
    port = "" if "station_port" in settings else "station_port = 0\n"
    path.write_text(f"db = '{tmp_path / 'store'}'\nport = 0\n{port}{settings}\n")
    assert why in nyala("serve", "--config", path).refusal
    assert not (tmp_path / "store").exists()
