"""Answers suites of cases with the Python SDK.

Reads JSON from standard input, and writes the answers to standard output. An answer is
{"answer": ...} or {"error": ...}, or null for a case that the SDK does not support.
"""

import json
import logging
import sys
import warnings

from growthbook import Experiment, GrowthBook, InMemoryStickyBucketService
from growthbook.core import evalCondition

OPTIONS = {
    "attributes": "attributes",
    "features": "features",
    "savedGroups": "savedGroups",
    "contextualBandits": "contextual_bandits",
    "url": "url",
    "enabled": "enabled",
    "qaMode": "qa_mode",
    "forcedVariations": "forced_variations",
}


def growthbook(context, **options):
    known = {OPTIONS[name]: value for name, value in context.items() if name in OPTIONS}
    return GrowthBook(**known, **options)


def eval_condition(name, condition, attributes, _expected, saved_groups=None):
    return evalCondition(attributes, condition, saved_groups or {})


def feature(name, context, key, _expected):
    return growthbook(context).eval_feature(key).to_dict()


def run(name, context, experiment, *_expected):
    if "urlPatterns" in experiment:
        return None
    result = growthbook(context).run(Experiment(**experiment))
    return [result.value, result.inExperiment, result.hashUsed]


def sticky_bucket(name, context, documents, key, *_expected):
    service = InMemoryStickyBucketService()
    for document in documents:
        service.save_assignments(document)
    client = growthbook(context, sticky_bucket_service=service)
    result = client.eval_feature(key).experimentResult
    # The SDK loads the documents in the order of a set, which is random.
    stored = dict(sorted(client._sticky_bucket_assignment_docs.items()))
    return [result and result.to_dict(), stored]


QUESTIONS = {
    "evalCondition": eval_condition,
    "feature": feature,
    "run": run,
    "stickyBucket": sticky_bucket,
}


def answer(question, case):
    try:
        answered = question(*case)
    except Exception as error:  # a malformed case may raise any exception
        return {"error": repr(error)}
    return None if answered is None else {"answer": answered}


def main():
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    suites = json.load(sys.stdin)
    answers = {
        suite: [answer(QUESTIONS[suite], case) for case in cases]
        for suite, cases in suites.items()
        if suite in QUESTIONS
    }
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
