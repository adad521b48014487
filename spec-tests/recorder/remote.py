"""Cases of remoteEval: a payload, a request, and the sticky bucket documents of the user.

The oracle is GrowthBook's `@growthbook/proxy-eval`, called as the GrowthBook Proxy calls it. The cases
avoid the known differences: those of the JavaScript SDK (see disputes.py), and those of DIFFERENCES.
"""

import json
import textwrap

import disputes
import experiments
from values import MISSING, PLAIN_USERS, attributes_of

# What the generated cases avoid, because our answer differs from the oracle's: (title, reason).
DIFFERENCES = [
    ("Contextual bandits",
     "The oracle does not pass the section `contextualBandits` to the SDK, so every user gets the "
     "fallback weights. We use the weights of the user's leaf, as in local evaluation."),
    ("Auto experiments with sticky bucketing",
     "The oracle runs auto experiments before it has loaded the documents, and saves a document with "
     "only the new assignment. The user's stored assignments are lost. We run them with the documents."),
    ("Forced variations that are not whole numbers",
     "The oracle includes the user in a variation without a value, and leaves the feature out of the "
     "answer. For us, no experiment has such a variation: the user does not take part."),
    ("More ranges than variations",
     "If a user's range has no variation, the oracle reports an exposure to the first variation, and stores "
     "it in the sticky bucket document. The user does not take part, so we report and store nothing."),
    ("Types in prerequisites and forced values",
     "JavaScript 1.8.0 converts types when it compares, see `disputed.md`. A forced value `{}` meets the "
     "condition `true` of a prerequisite. We compare without conversion."),
    ("Incomplete `tracks` in the payload",
     "The oracle repeats the result of a track as it is, and fails if the experiment has no list of "
     "variations. We add the members that a result always has, and repeat such an experiment."),
    ("Malformed definitions",
     "The oracle fails if `experiments` is not a list, or if an item has no list of variations. We leave "
     "the malformed part out."),
    ("Requests that cannot be read",
     "JavaScript reads a number out of range as infinity, and half of a surrogate pair as text. We refuse "
     "the request with an error."),
    ("Identity of exposures",
     "The oracle joins hash attribute, hash value, experiment and variation to one text, so that "
     "different exposures may have the same text. We compare the four parts."),
    ("Sections that could not be decrypted",
     "If the server's payload has experiments that it cannot decrypt, the oracle adds an empty list of "
     "experiments. We only keep the encrypted text."),
]

CONDITIONS = [
    {"country": "US"}, {"country": "NL"}, {"country": {"$in": ["US", "FR"]}}, {}, {"$not": {}},
    {"age": {"$gt": 17}}, {"$savedGroup": {"id": "friends"}}, {"id": {"$notInGroup": "friends"}},
    {"id": {"$inGroup": "unknown"}}, {"$or": [{"country": "NL"}, {"beta": True}]},
]
URLS = ["https://example.com/pricing?q=1", "https://example.com/other", "", "/pricing",
        "https://example.com/pricing?exp=1", "https://example.com/pricing?auto0=0"]
VALUES = [value for value in experiments.VALUES if value != 9007199254740993]
# Prerequisites by name: the feature, and conditions of its own type, since JavaScript converts types.
IS = [{"value": True}, {"value": False}, {"value": {"$exists": True}}, {}]
PARENTS = {
    "on": ({"defaultValue": True}, IS),
    "off": ({"defaultValue": False}, IS),
    "broken": ({}, IS),
    "split": ({"defaultValue": "z", "rules": [{"key": "splitting", "variations": ["x", "y"]}]},
              [{"value": "x"}, {"value": {"$in": ["x", "y"]}}, {"value": {"$ne": "x"}}]),
    "switch": ({"defaultValue": False, "rules": [{"key": "exp", "variations": [False, True]}]}, IS),
    "nested": ({"defaultValue": False, "rules": [
        {"variations": [True, True], "parentConditions": [{"id": "split", "condition": {"value": "y"}}]}]}, IS),
    "loop": ({"defaultValue": 1, "rules": [
        {"force": 2, "parentConditions": [{"id": "loop", "condition": {}}]}]}, [{}]),
}
# Forced values by feature. Prerequisites have values of their own type.
ANY = [True, False, "x", None, 0, {"a": [1]}]
FORCED = {"f": ANY, "g": ANY, "new": ANY, "absent": ANY, "on": [True, False, None], "off": [True, False, None],
          "split": ["x", "y", "z"], "$holdout:1": ["genpop", "holdoutcontrol", "holdouttreatment"]}
HOLDOUT = {"defaultValue": "genpop", "rules": [{
    "id": "hld", "key": "hld_1", "variations": ["holdoutcontrol", "holdouttreatment"], "coverage": 1,
    "weights": [0.5, 0.5], "hashAttribute": "id", "meta": [{"key": "0"}, {"key": "1"}]}]}


# Foci that differ from those of experiments.py, because the oracle fails on some of their cases.

def condition(rule, context, rng):
    rule["condition"] = rng.choice(CONDITIONS)
    context["savedGroups"] = experiments.FRIENDS


def coverage(rule, context, rng):
    rule["coverage"] = rng.choice([0, 1, 0.3, 0.5, 0.7])


def meta(rule, context, rng):
    kinds = [{"key": "v"}, {"name": "N"}, {"key": "v", "name": "N"}, {}, {"passthrough": True}]
    rule["meta"] = [rng.choice(kinds) for _ in rule["variations"]]


def ranges(rule, context, rng):
    count = len(rule["variations"])
    rule["ranges"] = rng.choice([[[0, 0.5], [0.5, 1]], [[0.99, 1], [0, 0.99]], [[0, 0.1], [0.9, 1]], [], [[0, 1]],
                                 [[0.7, 0.3]] * count])


def prerequisite(rule, context, rng):
    rule["parentConditions"] = []
    for _ in range(rng.choice([1, 1, 2])):
        name = rng.choice([*PARENTS, "absent"])
        feature, conditions = PARENTS.get(name, (None, [{}]))
        if feature:
            context["features"].setdefault(name, feature)
        if name == "nested":
            context["features"].setdefault("split", PARENTS["split"][0])
        parent = {"id": name, "condition": rng.choice(conditions)}
        if rng.random() < 0.4:
            parent["gate"] = rng.choice([True, False])
        rule["parentConditions"].append(parent)


def holdout(rule, context, rng):
    context["features"]["$holdout:1"] = HOLDOUT
    rule["parentConditions"] = [
        {"id": "$holdout:1", "condition": {"value": rng.choice(["holdoutcontrol", "holdouttreatment"])}}]


def tracks(rule, context, rng):
    """Adds exposures that another server decided."""
    rule["tracks"] = [track(rng) for _ in range(rng.choice([0, 1, 2]))]


def track(rng):
    index = rng.choice([0, 1])
    experiment = {"key": rng.choice(["remote", "exp"]), "variations": [{}, {}], "condition": {"id": "secret"}}
    experiment["variations"][index] = f"value {index}"
    result = {"key": str(index), "featureId": "f", "inExperiment": True, "hashUsed": rng.random() < 0.7,
              "variationId": index, "value": f"value {index}", "hashAttribute": "id", "hashValue": "1",
              "stickyBucketUsed": False}
    return {"experiment": experiment, "result": result}


COMMON = [condition, condition, coverage, prerequisite, prerequisite, holdout, experiments.seed,
          experiments.hash_version, experiments.hash_attribute, experiments.fallback_attribute,
          experiments.filters]
FORCE = [*COMMON, experiments.value_range, tracks, tracks]
EXPERIMENT = [*COMMON, meta, experiments.weights, ranges, experiments.naming,
              experiments.namespace, experiments.bucket_versions]


def rule_of(context, rng):
    if rng.random() < 0.35:
        rule, foci = {"force": rng.choice(VALUES)}, FORCE
    else:
        rule, foci = {"variations": rng.choice([["a", "b"], [0, 1], [{"a": 1}, None, "c"]])}, EXPERIMENT
    if rng.random() < 0.5:
        rule["key"] = rng.choice(["exp", "exp2", "shared"])
    names = experiments.focused(rule, context, foci, rng)
    return rule, f"{'force' if 'force' in rule else 'experiment'}: {names}"


def auto_experiments(rng):
    def variation(kind):
        changes = {"visual": {"css": rng.choice(["a{}", ""])}, "other": {"text": "x"},
                   "redirect": {"urlRedirect": rng.choice(["https://example.com/new", "https://other.example/"])}}
        return rng.choice([{}, changes[kind], changes[kind]])

    found = []
    for index in range(rng.choice([1, 2, 3])):
        kind = rng.choice(["visual", "visual", "redirect", "other"])
        experiment = {"key": f"auto{index}", "variations": [variation(kind), variation(kind)],
                      "weights": [0.5, 0.5], "coverage": rng.choice([1, 1, 0.5])}
        if kind == "redirect" or rng.random() < 0.4:
            experiment["urlPatterns"] = [{"include": True, "type": "simple", "pattern": "/pricing"}]
        if rng.random() < 0.3:
            experiment["condition"] = rng.choice([{"country": "US"}, {"country": "NL"}])
        if rng.random() < 0.3:
            experiment["manual"] = rng.choice([True, False])
        if rng.random() < 0.2:
            experiment["status"] = rng.choice(["draft", "running", "stopped"])
        found.append(experiment)
    return found


def request_of(context, rng):
    request = {"attributes": context["attributes"]}
    if rng.random() < 0.3:
        keys = rng.sample(["exp", "exp2", "f", "splitting", "auto0", "hld_1", "unknown"], 2)
        request["forcedVariations"] = {key: rng.choice([0, 1, 1, 5, -1]) for key in keys}
    if rng.random() < 0.35:
        keys = rng.sample(list(FORCED), rng.choice([1, 2, 3]))
        request["forcedFeatures"] = [[key, rng.choice(FORCED[key])] for key in keys]
    if rng.random() < 0.5:
        request["url"] = rng.choice(URLS)
    if rng.random() < 0.03:
        request = {}
    return request


def documents(rng):
    stored = []
    for name, value in [("id", "1"), ("id", "7"), ("company", "2"), ("id", "other")]:
        if rng.random() < 0.7:
            keys = rng.sample(["exp__0", "exp__1", "exp2__0", "splitting__0", "f__0", "hld_1__0"], 2)
            assignments = {key: rng.choice(["0", "1", "2", "v", "gone"]) for key in keys}
            stored.append({"attributeName": name, "attributeValue": value, "assignments": assignments})
    return stored


def case(rng):
    user = rng.choice(["1", "1", 7, *PLAIN_USERS, MISSING])
    attributes = attributes_of(id=user, country=rng.choice(["US", "NL"]), age=rng.choice([17, 18]))
    context, names = {"attributes": attributes, "features": {}}, []
    for key in ["f", "g", "10"][:rng.choice([1, 2, 2, 3])]:
        rules = [rule_of(context, rng) for _ in range(rng.choice([0, 1, 1, 1, 2]))]
        names += [f"{key}: {name}" for _, name in rules]
        context["features"][key] = {"rules": [rule for rule, _ in rules]}
        if rng.random() < 0.9:
            context["features"][key]["defaultValue"] = rng.choice(["default", *VALUES])
    sticky = documents(rng) if rng.random() < 0.35 else None
    request = request_of(context, rng)
    payload = {"status": 200, "features": context["features"]}
    if "savedGroups" in context:
        payload["savedGroups"] = context["savedGroups"]
    if sticky is None and rng.random() < 0.4:
        payload["experiments"] = auto_experiments(rng)
        names.append("auto experiments")
    if rng.random() < 0.3:
        payload["dateUpdated"] = "2026-01-02T03:04:05.678Z"
    names += ["sticky"] * (sticky is not None) + [name for name in request if name.startswith("forced")]
    return experiments.copied(["; ".join(names) or "plain", payload, request, sticky, None, None])


def is_comparable(case):
    """Whether the JavaScript SDK is not known to deviate."""
    context = case[1] | {"attributes": case[2].get("attributes", {}), "url": case[2].get("url", "")}
    pseudo = [case[0], context, "f", None]
    avoided = [quirk for quirk in disputes.QUIRKS
               if "javascript" in quirk.who and quirk.name != "types in prerequisites"]
    return not disputes.loses_digits(case) and not any(
        quirk.may_show("feature", pseudo) for quirk in avoided)


def report():
    lines = ["# Remote evaluation", "", *textwrap.wrap(
        "The cases in `remote_eval.json` are answered by the npm packages `@growthbook/proxy-eval` 1.1.2 and "
        "`@growthbook/growthbook` 1.8.0, called as the GrowthBook Proxy calls them. `cargo xtask differential` "
        "compares more cases. The cases avoid the differences below, and the quirks of the JavaScript SDK "
        "in `disputed.md`. `recorder/record.py` writes this page.", 100)]
    for title, reason in DIFFERENCES:
        lines += ["", f"## {title}", "", *textwrap.wrap(reason, 100)]
    return "\n".join(lines) + "\n"
