"""Writes questions: cases in the shape of the official corpus, with null as the answer.

    generate.py [--cases N] [--seed S] > questions.json

Every case has its own random generator. Its seed has the suite and the index. So the first cases
are the same for every N.
"""

import argparse
import json
import random
import sys

import conditions
import experiments

SPEC_VERSION = "0.12.0"
DEFAULT_CASES = 4000
DEFAULT_SEED = 1
# The function that makes a suite's cases, and the suite's share of all cases.
SUITES = {
    "evalCondition": (conditions.case, 0.5),
    "feature": (experiments.feature_case, 0.25),
    "run": (experiments.run_case, 0.15),
    "stickyBucket": (experiments.sticky_bucket_case, 0.1),
}


def cases_of(suite, make, count, seed):
    """Returns distinct cases. Each name ends with the index that seeded its generator."""
    seen, cases = set(), []
    for index in range(count):
        case = make(random.Random(f"{seed}/{suite}/{index}"))
        text = json.dumps(case[1:])
        if text not in seen:
            seen.add(text)
            cases.append([f"{case[0]} #{index}", *case[1:]])
    return cases


def questions(count=DEFAULT_CASES, seed=DEFAULT_SEED):
    shares = {suite: round(count * share) for suite, (_, share) in SUITES.items()}
    return {suite: cases_of(suite, SUITES[suite][0], share, seed) for suite, share in shares.items()}


def add_arguments(parser):
    parser.add_argument("--cases", type=int, default=DEFAULT_CASES, metavar="N")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="S")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    arguments = parser.parse_args()
    suites = questions(arguments.cases, arguments.seed)
    json.dump({"specVersion": SPEC_VERSION, **suites}, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
