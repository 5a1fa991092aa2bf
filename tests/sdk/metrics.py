"""Reads metrics with both parsers of Prometheus' own Python client.

usage: metrics.py FOLDER, with files NAME.text in the classic format and NAME.openmetrics
"""

import sys
from pathlib import Path

from prometheus_client import parser
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics


def families(text, read):
    """Type and samples of each family, all of which are described."""
    found = {}
    for family in read(text):
        assert family.type in ("counter", "gauge", "histogram"), family
        assert family.documentation, family
        assert family.samples, family
        found[family.name] = (family.type, [(sample.name, sample.labels) for sample in family.samples])
    return found


def main(folder):
    for path in sorted(Path(folder).glob("*.text")):
        classic = families(path.read_text(), parser.text_string_to_metric_families)
        other = families(path.with_suffix(".openmetrics").read_text(), read_openmetrics)
        assert classic == other, set(classic) ^ set(other)
        assert len(classic) > 15, classic
        print(path.stem, len(classic), "families")


main(*sys.argv[1:])
