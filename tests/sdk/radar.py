"""Reads the API with the official Python SDK of Cloudflare, as strictly as its models allow.

usage: radar.py BASE_URL EXPECTED, a JSON file: {"start", "end", "shares": {stage: share of 1}}
"""

import json
import sys
from datetime import datetime, timedelta

import cloudflare
from cloudflare import Cloudflare
from cloudflare.types.radar import (
    TCPResetsTimeoutSummaryResponse,
    TCPResetsTimeoutTimeseriesGroupsResponse,
)
from cloudflare.types.radar.annotations import OutageGetResponse

STAGES = ["post_syn", "post_ack", "post_psh", "later_in_flow", "no_match"]
LEVELS = [1, 2, 3, 5]
# A note of each kind stands at all times; "event" is an older name of GENERAL.
EVENT_TYPES = {"GENERAL", "OUTAGE", "PARTIAL_PROJECTION", "PIPELINE", "TRAFFIC_ANOMALY"}


def strictly(model, response):
    """The result as the SDK parses it, after every value fitted its type and no key was left over."""
    raw = json.loads(response.text())
    assert raw["success"] is True and raw["errors"] == [] and raw["messages"] == [], raw
    checked = model.model_validate(raw["result"])
    left_over(checked)
    parsed = response.parse()
    assert type(parsed) is model
    return parsed


def left_over(model):
    """Looks for keys that no model of the SDK has."""
    allowed = lambda key: any(key.startswith(kind) for kind in ("main", "previous", "summary_", "serie_"))
    extra = [key for key in (model.model_extra or {}) if not allowed(key)]
    assert not extra, f"{type(model).__name__}: {extra}"
    for value in vars(model).values():
        for item in value if isinstance(value, list) else [value]:
            if hasattr(item, "model_extra"):
                left_over(item)


def adds_up(shares):
    values = [float(share) for share in shares]
    assert all(0 <= value <= 100 for value in values), shares
    assert abs(sum(values) - 100) < 1e-9, shares


def check_meta(meta, series):
    assert meta.confidence_info.level in LEVELS
    assert len(meta.date_range) == series and len(meta.units) > 0
    assert meta.normalization == "PERCENTAGE"
    assert {note.event_type for note in meta.confidence_info.annotations} == EVENT_TYPES, meta
    assert isinstance(meta.last_updated, datetime)
    for span in meta.date_range:
        assert span.start_time < span.end_time


def check_serie(serie, span):
    columns = [getattr(serie, stage) for stage in STAGES]
    assert {len(column) for column in columns} == {len(serie.timestamps)}
    assert all(isinstance(time, datetime) for time in serie.timestamps)
    assert all(one < two for one, two in zip(serie.timestamps, serie.timestamps[1:]))
    assert all(span.start_time <= time < span.end_time for time in serie.timestamps)
    for row in zip(*columns):
        adds_up(row)


def summaries(radar, start, end, expected):
    ask = radar.with_raw_response.summary
    one = strictly(TCPResetsTimeoutSummaryResponse, ask(date_start=[start], date_end=[end]))
    check_meta(one.meta, 1)
    shares = {stage: float(getattr(one.summary_0, stage)) for stage in STAGES}
    adds_up(shares.values())
    for stage, share in expected.items():
        assert abs(shares[stage] - share * 100) < 1e-6, (stage, shares[stage], share * 100)
    print("python summary:", shares)
    # Names, several series, lists that leave out. The SDK sends no empty values.
    question = {"date_start": [start] * 2, "date_end": [end] * 2}
    filters = {"asn": ["-64496", "-174, -3356"], "location": ["-BR", "-US"], "continent": ["-SA", "-EU, -AF"]}
    two = strictly(TCPResetsTimeoutSummaryResponse, ask(name=["summary_0", "previous"], **question, **filters))
    check_meta(two.meta, 2)
    adds_up(two.model_extra["previous"].values())
    assert list(two.model_extra) == ["previous"]
    # A later series without a connection is left out, and a message names it.
    response = ask(location=["-BR", "AQ"], **question)
    messages = json.loads(response.text())["messages"]
    assert len(messages) == 1 and messages[0]["message"].startswith("summary_1: no connection"), messages
    rest = response.parse()
    check_meta(rest.meta, 2)
    adds_up(getattr(rest.summary_0, stage) for stage in STAGES)
    assert not rest.model_extra, rest


def timeseries(radar, start, end):
    ask = radar.with_raw_response.timeseries_groups
    model = TCPResetsTimeoutTimeseriesGroupsResponse
    quarter = strictly(model, ask(date_start=[start], date_end=[end], agg_interval="15m"))
    check_meta(quarter.meta, 1)
    assert quarter.meta.agg_interval == "FIFTEEN_MINUTES"
    intervals = {"1h": "ONE_HOUR", "1d": "ONE_DAY", "1w": "ONE_WEEK"}
    for interval, name in intervals.items():
        coarser = strictly(model, ask(date_start=[start], date_end=[end], agg_interval=interval))
        assert coarser.meta.agg_interval == name, coarser.meta
    assert len(quarter.serie_0.timestamps) > 0
    check_serie(quarter.serie_0, quarter.meta.date_range[0])
    print("python timeseries:", len(quarter.serie_0.timestamps), "pieces of time")
    control = strictly(model, ask(date_range=["7d", "7dControl"]))
    check_meta(control.meta, 2)
    now, before = control.meta.date_range
    assert now.start_time == before.end_time and now.end_time - now.start_time == timedelta(days=7)
    check_serie(control.serie_0, now)
    assert "serie_1" in control.model_extra


def errors(radar):
    def refused(kind, code, **question):
        try:
            radar.summary(**question)
        except kind as error:
            assert error.errors[0].code == code, error.errors
            return error.errors[0].message
        raise AssertionError(f"{question} was answered")

    assert "dateRange" in refused(cloudflare.BadRequestError, 2001, date_range=["400d"])
    assert "equally long" in refused(cloudflare.BadRequestError, 2001, date_range=["7d", "14d"])
    assert "location" in refused(cloudflare.BadRequestError, 2001, location=["XX"])
    refused(cloudflare.NotFoundError, 2004, date_start=["2001-01-01"], date_end=["2001-01-02"])


def neighbours(client):
    """The other endpoints whose shapes are Radar's."""
    radar = client.radar
    locations = radar.entities.locations.list(limit=3, continent="SA").locations
    assert len(locations) == 3 and all(type(place.latitude) is str for place in locations)
    assert radar.entities.locations.get("PT").location.name == "Portugal"
    asn = radar.entities.asns.get(13335).asn
    assert asn.asn == 13335 and asn.name and len(asn.country) == 2, asn
    assert radar.entities.asns.ip(ip="8.8.8.8").asn.asn == 15169
    assert len(radar.entities.asns.list(limit=2, order_by="ASN").asns) == 2
    found = radar.search.global_(query="portugal").search
    assert found[0].code == "PT" and found[0].type == "location"
    noted = strictly(OutageGetResponse, radar.annotations.outages.with_raw_response.get()).annotations
    assert len(noted) == 6 and {note.event_type for note in noted} == EVENT_TYPES, noted
    print("python neighbours: entities, search, annotations")


def main(base_url, expected):
    with open(expected) as file:
        expected = json.load(file)
    client = Cloudflare(api_token="x", base_url=base_url, max_retries=0)
    start, end = (datetime.fromisoformat(expected[key]) for key in ("start", "end"))
    radar = client.radar.tcp_resets_timeouts
    summaries(radar, start, end, expected["shares"])
    timeseries(radar, start, end)
    errors(radar)
    neighbours(client)
    print("python SDK", cloudflare.__version__, "reads everything")


main(*sys.argv[1:])
