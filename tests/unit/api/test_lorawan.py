"""The LoRaWAN side of a meter over the API, and its re-admission: by whom, once, and seen everywhere."""

from nyala.api import fleet
from nyala.lorawan.network import nonces
from tests.unit.api.estate import CT_METER, NOW_S, OURS, is_problem

PATH = f"meters/{OURS}/lorawan"
DEVICE = 0xD0001


def lose(estate):
    """Meter 1 joined with nonce 90, an hour ago; since then it asks with 3."""
    root = estate.running.network.sessions.root(DEVICE)
    nonces.use(root, 90, estate.now_us - 3_600_000_000)
    nonces.refuse(root, 3, estate.now_us)
    estate.running.network.sessions.changed_root(root)
    estate.order(OURS, "read", key="a-commit-1")
    fleet.forget()
    return root


def readmit(estate, who="operator", key="key-0001"):
    return estate.ask("POST", f"{PATH}/readmit", who, headers={"Idempotency-Key": key})


def test_a_device_is_told_with_its_session(readonly):
    told = readonly.get(PATH)
    assert (told["dev_eui"], told["dev_addr"], told["version"], told["device_class"]) == (
        "00000000000d0001",
        "00000001",
        "1.0.4",
        "C",
    )
    session = told["session"]
    assert (session["f_cnt_up"], session["f_cnt_down"], session["data_rate"], session["eirp_dbm"]) == (5, 5, "SF7BW125", 16)
    assert (session["battery"], session["margin_db"], session["joined_s"]) == (None, None, None)
    assert told["heard_by"] == [{"gateway": "0016c001f0000001", "snr_db": 5.0}]
    assert (told["rssi_dbm"], told["needs_readmission"], told["readmissions"]) == (-99.5, None, [])


def test_a_device_that_has_not_joined_has_no_session(readonly):
    told = readonly.get(f"meters/{CT_METER}/lorawan")
    assert (told["session"], told["heard_by"], told["rssi_dbm"]) == (None, [], None)


def test_no_response_has_a_key(estate):
    keys = [(number).to_bytes(16, "big").hex() for number in (1, 2, 3)] + ["key"]
    lose(estate)
    text = "".join(
        estate.ask("GET", path).text for path in (PATH, "meters", f"meters/{OURS}", f"meters/{OURS}/commands", "fleet")
    )
    assert [key for key in keys if key in text] == []


def test_a_meter_that_lost_its_memory_is_seen_on_its_page_in_the_list_in_the_fleet_and_in_the_metrics(estate):
    assert estate.get("fleet")["meters"]["needs_readmission"] == 0
    lose(estate)
    assert estate.get(PATH)["needs_readmission"] == {"since_s": NOW_S, "refused_nonce": 3, "dev_nonce": 90}
    assert estate.get(f"meters/{OURS}")["needs_readmission"]
    assert [meter["needs_readmission"] for meter in estate.get("meters")["items"]] == [True, False, False]
    assert [meter["id"] for meter in estate.get("meters?needs_readmission=true")["items"]] == [OURS]
    assert estate.get("fleet")["meters"]["needs_readmission"] == 1
    assert "nyala_devices_to_readmit 1.0" in estate.ask("GET", "/metrics").text


def test_one_action_re_admits_it_and_says_who_and_when_and_what_was(estate):
    root = lose(estate)
    told = readmit(estate).json()
    assert told["needs_readmission"] is None
    assert told["readmissions"] == [{"at_s": NOW_S, "by": "operator", "dev_nonce": 90, "refused_nonce": 3}]
    assert (root.dev_nonce, root.join_nonce) == (-1, 1)
    assert estate.get("meters?needs_readmission=true")["total"] == 0


def test_the_same_key_again_changes_nothing_also_after_the_next_join(estate):
    root = lose(estate)
    first = readmit(estate).json()
    nonces.use(root, 4, estate.now_us)
    nonces.refuse(root, 1, estate.now_us)
    estate.later(1)
    again = readmit(estate).json()
    assert again["readmissions"] == first["readmissions"]
    assert root.dev_nonce == 4
    root.readmission = None  # as after a restart
    assert readmit(estate).json()["readmissions"] == first["readmissions"]
    assert root.dev_nonce == 4


def test_a_meter_that_does_not_need_it_is_not_re_admitted(estate):
    detail = is_problem(readmit(estate), 409, "conflict")["detail"]
    assert detail == "device 00000000000d0001 needs no re-admission"
    assert estate.get(PATH)["readmissions"] == []
