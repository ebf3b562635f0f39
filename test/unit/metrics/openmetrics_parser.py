"""Reads an exposition from stdin with the strict parser; prints the number of families."""

import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

print(len(list(text_string_to_metric_families(sys.stdin.buffer.read().decode("utf-8")))))
