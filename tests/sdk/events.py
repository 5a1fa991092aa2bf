"""Reads events with the official Python SDK of Cloudflare, as strictly as its models allow.

usage: events.py BASE_URL, of a server that has found a shutdown of Iraq
"""

import json
import sys

from cloudflare import Cloudflare
from cloudflare.types.radar import AnnotationListResponse, TrafficAnomalyGetResponse
from cloudflare.types.radar.annotations import OutageLocationsResponse
from cloudflare.types.radar.traffic_anomalies import LocationGetResponse


def strictly(model, response):
    """The result as the SDK parses it, after every value fitted its type and no key was left over."""
    raw = json.loads(response.text())
    assert raw["success"] is True and raw["errors"] == [] and raw["messages"] == [], raw
    left_over(model.model_validate(raw["result"]))
    parsed = response.parse()
    assert type(parsed) is model
    return parsed


def left_over(model):
    assert not model.model_extra, f"{type(model).__name__}: {model.model_extra}"
    for value in vars(model).values():
        for item in value if isinstance(value, list) else [value]:
            if hasattr(item, "model_extra"):
                left_over(item)


def main(base_url):
    radar = Cloudflare(api_token="x", base_url=base_url, max_retries=0).radar
    ask = radar.traffic_anomalies.with_raw_response.get
    (found,) = strictly(TrafficAnomalyGetResponse, ask(limit=10, date_range="7d")).traffic_anomalies
    assert (found.type, found.status, found.location_details.code) == ("LOCATION", "UNVERIFIED", "IQ"), found
    assert found.start_date < found.end_date and found.visible_in_data_sources == ["CONNECTION_ANOMALY"], found
    same = strictly(TrafficAnomalyGetResponse, ask(type=["LOCATION", "AS"], location="IQ", status="UNVERIFIED"))
    assert same.traffic_anomalies == [found]
    assert not strictly(TrafficAnomalyGetResponse, ask(type=["AS"])).traffic_anomalies
    counts = strictly(LocationGetResponse, radar.traffic_anomalies.locations.with_raw_response.get())
    assert [(one.client_country_alpha2, one.value) for one in counts.traffic_anomalies] == [("IQ", "1")], counts
    (note,) = strictly(AnnotationListResponse, radar.annotations.with_raw_response.list(location="IQ")).annotations
    assert (note.id, note.event_type, note.locations) == (found.uuid, "TRAFFIC_ANOMALY", ["IQ"]), note
    outages = strictly(OutageLocationsResponse, radar.annotations.outages.with_raw_response.locations())
    assert outages.annotations == [], "nobody has noted any"
    print("python SDK reads events")


main(*sys.argv[1:])
