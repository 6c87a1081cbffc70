"""Degrees in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.vocab.errors import BadArgumentError
from nyala.vocab.places import LAT_MAX_DEG, LON_MAX_DEG, UDEG_PER_DEG, Place, parse_place


@given(st.integers(-LAT_MAX_DEG * UDEG_PER_DEG, LAT_MAX_DEG * UDEG_PER_DEG), st.integers(-180_000_000, 180_000_000))
def test_what_is_written_reads_back(lat_udeg, lon_udeg):
    place = Place(lat_udeg, lon_udeg)
    assert parse_place(f"{place.lat:.6f}", f"{place.lon:.6f}") == place


@pytest.mark.parametrize(
    ("lat", "lon"),
    [("", "1"), ("1", "x"), ("85.1", "0"), ("0", "-180.1"), ("nan", "0"), ("0", "inf"), ("6°10'", "0"), ("1e9", "1")],
)
def test_what_is_no_place_is_refused(lat, lon):
    with pytest.raises(BadArgumentError, match="degrees"):
        parse_place(lat, lon)


@given(st.text(max_size=12), st.text(max_size=12))
def test_any_text_is_a_place_or_refused(lat, lon):
    try:
        place = parse_place(lat, lon)
    except BadArgumentError:
        return
    assert abs(place.lat_udeg) <= LAT_MAX_DEG * UDEG_PER_DEG
    assert abs(place.lon_udeg) <= LON_MAX_DEG * UDEG_PER_DEG
