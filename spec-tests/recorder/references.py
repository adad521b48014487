"""The consulted implementations, and the comparable part of their answers."""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = HERE / ".venv" / "bin" / "python"
COMMANDS = {
    "python": [str(PYTHON if PYTHON.exists() else sys.executable), "reference_python.py"],
    "javascript": ["node", "record.mjs"],
    "node": ["node", "regex.mjs"],
    "rust": ["cargo", "run", "--quiet", "--release", "--manifest-path", "reference/Cargo.toml"],
}
# The implementations that answer each suite. JavaScript 1.8.0 converts types in conditions, which
# the specification 0.12.0 forbids.
CONSULTED = {
    "evalCondition": ["python", "rust"],
    "feature": ["python", "javascript", "rust"],
    "run": ["python", "javascript", "rust"],
    "stickyBucket": ["python", "javascript", "rust"],
}
# Members of a rule that the experiment of a result repeats if they are truthy. Python replaces an
# absent one of DEFAULTED with its default.
COPIED = ["weights", "namespace", "meta", "ranges", "name", "phase", "seed", "filters", "condition"]
DEFAULTED = {"hashAttribute": "id", "hashVersion": 1, "fallbackAttribute": None, "disableStickyBucketing": False}
REPEATED_WHEN_PRESENT = ["coverage", "bucketVersion", "minBucketVersion"]
# Members of an ExperimentResult that all implementations report in the same way.
ESSENTIAL = ["variationId", "inExperiment", "key", "hashAttribute", "value"]


def ask(reference, suites):
    """Returns an implementation's answers by suite: {"answer": ...}, {"error": ...} or None."""
    question = json.dumps(suites)
    done = subprocess.run(
        COMMANDS[reference], cwd=HERE, input=question, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{reference}: {done.stderr}")
    return json.loads(done.stdout)


def truthy(value):
    """Whether JavaScript treats a JSON value as true."""
    return isinstance(value, (list, dict)) or bool(value)


def canonical(value):
    """Returns a text that is equal for equal JSON values. All numbers count as doubles."""
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
    """Returns the experiment of a Python result in the official form: the rule's members only."""
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
            members = {name: rule[name] for name in [*COPIED, *DEFAULTED] if truthy(rule.get(name))}
            members |= {name: rule[name] for name in REPEATED_WHEN_PRESENT if name in rule}
            members |= {name: experiment[name] for name in ["contextualBandit"] if name in experiment}
            return {"key": experiment["key"], "variations": experiment["variations"], **members}
    return experiment


def official(suite, case, reference, answer):
    """Returns an answer in the form of the official corpus."""
    if suite == "feature" and reference == "python" and "experiment" in answer:
        repeated = repeated_experiment(
            answer["experiment"], case[2], answer["ruleId"], case[1]["features"][case[2]]
        )
        return answer | {"experiment": repeated}
    return answer


def essence(suite, answer):
    """Returns the part of an answer that all implementations report."""
    if suite == "feature":
        result = answer.get("experimentResult")
        members = [answer["value"], answer["on"], answer["off"], answer["source"]]
        return members + [result and {name: result[name] for name in ESSENTIAL}]
    if suite == "stickyBucket":
        result = answer[0] if isinstance(answer, list) else answer
        names = [*ESSENTIAL, "hashValue", "stickyBucketUsed"]
        return result and {name: result[name] for name in names}
    return answer
