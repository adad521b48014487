"""Measures the core of the Python SDK. Reads the scenarios as JSON from the standard input, and writes
a report to the standard output."""

import json
import logging
import platform
import sys
import time
from importlib.metadata import version
from itertools import cycle, islice

from growthbook.common_types import (
    EvaluationContext,
    GlobalContext,
    Options,
    StackContext,
    UserContext,
    features_from_dict,
)
from growthbook.core import eval_feature

PRODUCT = "Python SDK core"
ROUNDS = 15
ROUND_SECONDS = 0.02


def global_context(payload):
    return GlobalContext(
        options=Options(),
        features=features_from_dict(payload["features"]),
        saved_groups=payload["savedGroups"],
    )


def evaluation(scenario, users):
    shared = global_context(scenario["payload"])
    contexts = cycle([UserContext(attributes=user) for user in users])
    flag = scenario["flag"]

    def ask(count):
        for user in islice(contexts, count):
            eval_feature(flag, EvaluationContext(user, shared, StackContext())).on

    return ask


def loading(text):
    def ask(count):
        for _ in range(count):
            global_context(json.loads(text))

    return ask


def measure(name, ask):
    """Returns the nanoseconds of one call: the median of many rounds, and the quartiles."""
    count = 1
    while run(ask, count) < ROUND_SECONDS:
        count *= 2
    samples = sorted(run(ask, count) / count * 1e9 for _ in range(ROUNDS))
    low, median, high = (samples[round(share * (ROUNDS - 1))] for share in (0.25, 0.5, 0.75))
    spread = {"median": median, "low": low, "high": high}
    return {"scenario": name, "product": PRODUCT, "nanoseconds": spread}


def run(ask, count):
    start = time.perf_counter()
    ask(count)
    return time.perf_counter() - start


def main():
    # A rule with only prerequisites would log a line in every evaluation.
    logging.disable(logging.WARNING)
    question = json.load(sys.stdin)
    users = question["users"]
    times = [
        measure(scenario["name"], evaluation(scenario, users))
        for scenario in question["scenarios"]
    ]
    times.append(measure("load, 1,000 features", loading(question["load"])))
    versions = [
        ["CPython", platform.python_version()],
        ["growthbook (Python)", version("growthbook")],
    ]
    json.dump({"versions": versions, "times": times}, sys.stdout)


main()
