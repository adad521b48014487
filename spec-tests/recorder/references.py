"""The implementations that are asked, and what of their answers can be compared."""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = HERE / ".venv" / "bin" / "python"
COMMANDS = {
    "python": [str(PYTHON if PYTHON.exists() else sys.executable), "reference_python.py"],
    "javascript": ["node", "record.mjs"],
    "rust": ["cargo", "run", "--quiet", "--release", "--manifest-path", "reference/Cargo.toml"],
}
# Who is asked what. JavaScript 1.8.0 converts types in conditions, which 0.12.0 forbids.
CONSULTED = {
    "evalCondition": ["python", "rust"],
    "feature": ["python", "javascript", "rust"],
    "run": ["python", "javascript", "rust"],
    "stickyBucket": ["python", "javascript", "rust"],
}
# Members of a rule that an experiment in a result repeats when they say something: as they are, or
# where Python puts a default in the place of an absent one.
COPIED = ["weights", "namespace", "meta", "ranges", "name", "phase", "seed", "filters", "condition"]
DEFAULTED = {"hashAttribute": "id", "hashVersion": 1, "fallbackAttribute": None, "disableStickyBucketing": False}
REPEATED_WHEN_PRESENT = ["coverage", "bucketVersion", "minBucketVersion"]
# Members of an ExperimentResult that every implementation reports alike.
ESSENTIAL = ["variationId", "inExperiment", "key", "hashAttribute", "value"]


def ask(reference, suites):
    """The reference's answers by suite: {"answer": ...}, {"error": ...} or None."""
    question = json.dumps(suites)
    done = subprocess.run(
        COMMANDS[reference], cwd=HERE, input=question, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{reference}: {done.stderr}")
    return json.loads(done.stdout)


def truthy(value):
    """JavaScript's truthiness of a JSON value."""
    return isinstance(value, (list, dict)) or bool(value)


def canonical(value):
    """A text that is the same for the same JSON, all numbers being doubles."""
    def double(value):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value) + 0.0
        if isinstance(value, list):
            return [double(item) for item in value]
        if isinstance(value, dict):
            return {key: double(item) for key, item in value.items()}
        return value

    return json.dumps(double(value), sort_keys=True)


def repeated_experiment(experiment, key, rule_id, feature):
    """The experiment of a Python result in the official form: what its rule says, no defaults."""
    def is_of(rule):
        return (
            (rule.get("id") or "") == rule_id
            and (rule.get("key") or key) == experiment["key"]
            and rule.get("contextualVariations", rule.get("variations")) == experiment["variations"]
            and all(rule.get(name) == experiment[name] for name in COPIED)
            and all((rule.get(name) or default) == (experiment.get(name) or default)
                    for name, default in DEFAULTED.items() if name in experiment)
        )

    for rule in feature.get("rules") or []:
        if is_of(rule):
            told = {name: rule[name] for name in [*COPIED, *DEFAULTED] if truthy(rule.get(name))}
            told |= {name: rule[name] for name in REPEATED_WHEN_PRESENT if name in rule}
            told |= {name: experiment[name] for name in ["contextualBandit"] if name in experiment}
            return {"key": experiment["key"], "variations": experiment["variations"], **told}
    return experiment


def official(suite, case, reference, answer):
    """An answer in the form of the official corpus."""
    if suite == "feature" and reference == "python" and "experiment" in answer:
        repeated = repeated_experiment(
            answer["experiment"], case[2], answer["ruleId"], case[1]["features"][case[2]]
        )
        return answer | {"experiment": repeated}
    return answer


def essence(suite, answer):
    """What all implementations report of an answer, to be compared."""
    if suite == "feature":
        result = answer.get("experimentResult")
        told = [answer["value"], answer["on"], answer["off"], answer["source"]]
        return told + [result and {name: result[name] for name in ESSENTIAL}]
    if suite == "stickyBucket":
        result = answer[0] if isinstance(answer, list) else answer
        told = [*ESSENTIAL, "hashValue", "stickyBucketUsed"]
        return result and {name: result[name] for name in told}
    return answer
