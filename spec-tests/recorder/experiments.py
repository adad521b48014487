"""Cases of feature, run and stickyBucket.

A rule or an experiment starts plain. Each *focus* then changes one part of it, or of the context.
The case's name lists the foci.
"""

import json

from values import MISSING, PLAIN_USERS, USERS, attributes_of, bucket

VALUES = [0, 1, "", "off", "on", True, False, None, [], {}, {"a": 1}, 1.5, 9007199254740993, "é"]
COVERAGES = [0, 1, 0.1, 0.3, 0.5, 0.7, 0.9, 1.5, -1, None]
RANGES = [[0, 0.5], [0.5, 1], [0, 1], [0, 0], [0.2, 0.8], [0.7, 0.3], [0, 0.1]]
HASH_VERSIONS = [1, 2, 0, 3, None]
HASH_ATTRIBUTES = ["company", "missing", "", "id", None]
CONDITIONS = [
    {"country": "US"}, {"country": "NL"}, {"country": {"$in": ["US", "FR"]}}, {}, {"$not": {}},
    {"age": {"$gt": 17}}, {"country": {"$foo": 1}}, {"$not": {"country": {"$foo": 1}}},
    {"$not": {"country": "US", "$or": None}}, {"$not": {"$or": None, "country": "US"}},
    {"$savedGroup": {"id": "friends"}}, {"id": {"$inGroup": "friends"}}, {"id": {"$notInGroup": "x"}},
]
FRIENDS = {"friends": {"type": "list", "attributeKey": "id", "values": ["1", "2", "user-17", 7]}}


# Foci of any rule. A focus changes the rule and the context in place.

def coverage(rule, context, rng):
    rule["coverage"] = rng.choice(COVERAGES)


def seed(rule, context, rng):
    rule["seed"] = rng.choice(["s", "other", "", "é", None])


def hash_version(rule, context, rng):
    rule["hashVersion"] = rng.choice(HASH_VERSIONS)


def hash_attribute(rule, context, rng):
    rule["hashAttribute"] = rng.choice(HASH_ATTRIBUTES)
    context["attributes"]["company"] = rng.choice(PLAIN_USERS)


def fallback_attribute(rule, context, rng):
    rule["hashAttribute"] = rng.choice(["missing", "id", "company"])
    rule["fallbackAttribute"] = rng.choice(["id", "company", "missing", ""])
    context["attributes"]["company"] = rng.choice(PLAIN_USERS)


def user(rule, context, rng):
    context["attributes"].pop("id", None)
    context["attributes"].update(attributes_of(id=rng.choice(USERS)))


def condition(rule, context, rng):
    rule["condition"] = rng.choice(CONDITIONS)
    context["savedGroups"] = FRIENDS


def filters(rule, context, rng):
    rule["filters"] = [
        {"seed": rng.choice(["s", "t", ""]), "ranges": rng.sample(RANGES, rng.randrange(3))}
        for _ in range(rng.choice([0, 1, 1, 1, 2]))
    ]
    for item in rule["filters"]:
        if rng.random() < 0.3:
            item["hashVersion"] = rng.choice(HASH_VERSIONS)
        if rng.random() < 0.3:
            item["attribute"] = rng.choice(HASH_ATTRIBUTES)


def prerequisite(rule, context, rng):
    parents = {
        "on": {"defaultValue": True},
        "off": {"defaultValue": False},
        "broken": {},
        "child": {"defaultValue": 1, "rules": [{"force": 2, "parentConditions": [
            {"id": "on", "condition": {"value": rng.choice([True, False])}, "gate": rng.random() < 0.5}]}]},
        "loop": {"defaultValue": 1, "rules": [{"force": 2, "parentConditions": [
            {"id": rng.choice(["f", "loop"]), "condition": {"value": 1}}]}]},
        "split": {"defaultValue": 0, "rules": [{"variations": ["x", "y"]}]},
    }
    for name, parent in parents.items():
        context["features"].setdefault(name, parent)
    rule["parentConditions"] = []
    for _ in range(rng.choice([1, 1, 2])):
        parent = {"id": rng.choice([*parents, "absent"])}
        if rng.random() < 0.9:
            parent["condition"] = rng.choice([
                {"value": True}, {"value": {"$ne": True}}, {"value": {"$exists": True}}, {}, {"value": None},
                {"value": {"$in": ["x", 1, 2]}}, {"value": {"$foo": 1}}, {"other": 1},
            ])
        if rng.random() < 0.5:
            parent["gate"] = rng.choice([True, True, False])
        rule["parentConditions"].append(parent)


def falsy(rule, context, rng):
    """Sets members to null."""
    members = ["condition", "filters", "parentConditions", "seed", "hashAttribute", "range", "ranges",
               "weights", "meta", "namespace", "name", "phase", "key", "fallbackAttribute", "id"]
    for member in rng.sample(members, 2):
        rule[member] = None


# Foci of force rules.

def value_range(rule, context, rng):
    rule["range"] = rng.choice([*RANGES, [], None])


def forced_value(rule, context, rng):
    rule["force"] = rng.choice(VALUES)


def exact_coverage(rule, context, rng):
    """Sets a coverage or a range that ends exactly at the user's bucket."""
    version = rng.choice([1, 2])
    place = bucket(rule.get("seed") or "f", str(context["attributes"].get("id", "")), version)
    rule["hashVersion"] = version
    if rng.random() < 0.5:
        rule["coverage"] = place
    else:
        rule["range"] = rng.choice([[0, place], [place, 1], [place, place]])


# Foci of experiments.

def weights(rule, context, rng):
    count = max(len(rule["variations"]), 1)
    rule["weights"] = rng.choice([
        [1 / count] * count, [0.9] + [0.1 / max(count - 1, 1)] * (count - 1), [0.2] * count, [1], [],
        [0.1, 0.9], [0.2, 0.3, 0.5], [1.2, -0.2], [0, 1], [0.495, 0.5], [0.51, 0.5], [0.52, 0.5], None,
    ])


def ranges(rule, context, rng):
    count = len(rule["variations"])
    rule["ranges"] = rng.choice([
        [[0, 0.5], [0.5, 1]], [[0.99, 1], [0, 0.99]], [[0, 0.1], [0.9, 1]], [], [[0, 1]], [[0, 0], [0, 1]],
        [[0, 0.2], [0.2, 0.4], [0.4, 1], [0, 1]], [RANGES[5]] * count,
    ])


def exact_range(rule, context, rng):
    version = rng.choice([1, 2])
    key = rule.get("seed") or rule.get("key") or "f"
    place = bucket(key, str(context["attributes"].get("id", "")), version)
    rule["hashVersion"] = version
    rule["ranges"] = [[0, place], [place, 1]]


def meta(rule, context, rng):
    kinds = [{"key": "v"}, {"name": "N"}, {"key": "v", "name": "N"}, {}, {"key": ""}, {"passthrough": True},
             {"passthrough": False, "key": "k"}, {"name": ""}]
    length = rng.choice([len(rule["variations"])] * 4 + [1, 0])
    rule["meta"] = [rng.choice(kinds) for _ in range(length)]


def naming(rule, context, rng):
    for member in ("name", "phase", "key"):
        if rng.random() < 0.6:
            rule[member] = rng.choice(["x", "", "é"])


def namespace(rule, context, rng):
    rule["namespace"] = ["ns", *rng.choice(RANGES)]


def variations(rule, context, rng):
    rule["variations"] = [rng.choice(VALUES) for _ in range(rng.choice([0, 1, 2, 2, 3]))]


def bucket_versions(rule, context, rng):
    for member in ("bucketVersion", "minBucketVersion"):
        if rng.random() < 0.7:
            rule[member] = rng.choice([0, 1, 2])
    if rng.random() < 0.3:
        rule["disableStickyBucketing"] = rng.choice([True, False])


def forced_variation(rule, context, rng):
    index = rng.choice([0, 1, 2, 5, -1])
    context["forcedVariations"] = {rng.choice([rule.get("key") or "f", "other"]): index}


def url_override(rule, context, rng):
    key = rule.get("key") or "f"
    query = rng.choice([
        "{}=1", "{}=0", "{}=9", "{}=-1", "{}=", "{}", "a=1&{}=1", "{}=1&{}=0", "{}=1x", "{}=01", "{}=+1",
        "{}=1.5", "{}=%31", "{}=١", "x{}=1", "{}=1#x", "#?{}=1", "{}=1?{}=0", "{}=true", "{}=&{}=1",
    ])
    context["url"] = "http://example.com/path?" + query.format(key, key)


def qa_mode(rule, context, rng):
    context["qaMode"] = rng.choice([True, True, False])


def disabled(rule, context, rng):
    context["enabled"] = rng.choice([False, False, True])


# Foci of inline experiments.

def status(rule, context, rng):
    rule.update(rng.choice([{"status": "draft"}, {"status": "stopped"}, {"status": "running"},
                            {"active": False}, {"active": True}]))


def forced_index(rule, context, rng):
    rule["force"] = rng.choice([0, 1, 2, 7, -1])


def url_patterns(rule, context, rng):
    context["url"] = rng.choice(["http://example.com/path?q=1", "http://example.com/other", ""])
    rule["urlPatterns"] = rng.choice([
        [{"type": "simple", "pattern": "/path", "include": True}],
        [{"type": "simple", "pattern": "/other", "include": False}],
        [{"type": "regex", "pattern": "^/pa", "include": True}], [],
    ])


COMMON = [coverage, seed, hash_version, hash_attribute, fallback_attribute, user, user, condition, filters,
          prerequisite, falsy]
FORCE = [*COMMON, coverage, value_range, value_range, forced_value, exact_coverage]
EXPERIMENT = [*COMMON, weights, weights, ranges, exact_range, meta, naming, namespace, variations,
              bucket_versions, forced_variation, url_override, qa_mode, disabled]
INLINE = [*[focus for focus in EXPERIMENT if focus is not falsy], status, forced_index, url_patterns]


def plain_context(rng):
    attributes = {"id": rng.choice(PLAIN_USERS), "country": rng.choice(["US", "NL"]), "age": 18}
    return {"attributes": attributes, "features": {}}


def focused(rule, context, foci, rng):
    """Applies one to three foci, and returns their names."""
    chosen = rng.sample(foci, rng.choice([1, 2, 2, 3]))
    for focus in chosen:
        focus(rule, context, rng)
    return " + ".join(dict.fromkeys(focus.__name__ for focus in chosen))


def copied(case):
    """Returns a deep copy of a case."""
    return json.loads(json.dumps(case))


def feature_case(rng):
    context, rules, names = plain_context(rng), [], []
    for index in range(rng.choice([1, 1, 1, 2, 3])):
        if rng.random() < 0.45:
            rule, foci = {"force": rng.choice(["forced", "yes", 1])}, FORCE
        else:
            rule, foci = {"variations": rng.choice([["a", "b"], [0, 1], ["a", "b", "c"]])}, EXPERIMENT
        if rng.random() < 0.5:
            rule["id"] = f"r{index}"
        if rng.random() < 0.4:
            rule["key"] = rng.choice(["exp", "f"])
        kind = "force" if "force" in rule else "experiment"
        names.append(f"{kind}: {focused(rule, context, foci, rng)}")
        rules.append(rule)
    default = rng.choice(VALUES) if rng.random() < 0.2 else "default"
    context["features"]["f"] = {"defaultValue": default, "rules": rules}
    return copied([", then ".join(names), context, "f", None])


def run_case(rng):
    context = plain_context(rng)
    experiment = {"key": "exp", "variations": rng.choice([["a", "b"], [0, 1], ["a", "b", "c"]])}
    name = focused(experiment, context, INLINE, rng)
    experiment["key"] = experiment["key"] or "exp"
    return copied([name, context, experiment, None, None, None])


# Sticky buckets.

def documents(context, rng):
    """Returns documents for the attributes that rules use: of this user, and of another user."""
    rules = context["features"]["f"]["rules"]
    used = {rule.get("hashAttribute") or "id" for rule in rules}
    used |= {rule.get("fallbackAttribute") for rule in rules}
    stored = []
    for name, value in [("id", "1"), ("deviceId", "d1"), ("company", "c1"), ("id", "other")]:
        if name in used and rng.random() < 0.6:
            keys = rng.sample(["exp__0", "exp__1", "exp__2", "exp__3", "else__0"], rng.choice([0, 1, 1, 2]))
            assignments = {key: rng.choice(["0", "1", "2", "red", "gone", ""]) for key in keys}
            stored.append({"attributeName": name, "attributeValue": value, "assignments": assignments})
    return stored


def sticky_bucket_case(rng):
    # The number 1 and the text "1" have the same document.
    attributes = attributes_of(
        id=rng.choice(["1", "1", "1", "1", 1, 1, MISSING, MISSING, "", rng.choice([True, ""])]),
        deviceId=rng.choice(["d1", MISSING]),
        company=rng.choice(["c1", MISSING]),
        country="US",
    )
    rule = {"key": "exp", "variations": ["control", "red", "blue"], "hashVersion": rng.choice([1, 2])}
    rule["meta"] = [{"key": key} for key in rng.choice([["0", "1", "2"], ["0", "red", "2"], ["2", "1", "0"]])]
    context = {"attributes": attributes, "features": {"f": {"defaultValue": "control", "rules": [rule]}}}
    names = []

    def maybe(name, probability, change):
        if rng.random() < probability:
            names.append(name)
            change()

    maybe("fallback", 0.6, lambda: rule.update(fallbackAttribute=rng.choice(["deviceId", "company", "id", ""])))
    maybe("hash attribute", 0.3, lambda: rule.update(hashAttribute=rng.choice(["id", "deviceId", "company"])))
    maybe("bucket version", 0.5, lambda: rule.update(bucketVersion=rng.choice([0, 1, 2])))
    maybe("min version", 0.4, lambda: rule.update(minBucketVersion=rng.choice([0, 1, 2])))
    maybe("disabled", 0.12, lambda: rule.update(disableStickyBucketing=True))
    maybe("no meta", 0.08, lambda: rule.pop("meta"))
    maybe("condition", 0.2, lambda: rule.update(condition={"country": rng.choice(["US", "NL"])}))
    maybe("coverage", 0.2, lambda: rule.update(coverage=rng.choice([0, 0.5, 1])))
    maybe("namespace", 0.1, lambda: rule.update(namespace=["ns", 0, 0.5]))
    maybe("filters", 0.1, lambda: rule.update(filters=[{"seed": "s", "ranges": [[0, 0.5]]}]))
    maybe("hash version", 0.05, lambda: rule.update(hashVersion=3))
    maybe("forced", 0.08, lambda: context.update(forcedVariations={"exp": rng.choice([1, 7])}))
    maybe("qa mode", 0.05, lambda: context.update(qaMode=True))
    maybe("query", 0.08, lambda: context.update(url="http://example.com/?exp=2"))
    maybe("passthrough", 0.06, lambda: rule.setdefault("meta", [{}, {}, {}])[1].update(passthrough=True))
    maybe("two rules", 0.1, lambda: context["features"]["f"]["rules"].append(
        {"key": "else", "variations": [0, 1], "meta": [{"key": "0"}, {"key": "1"}]}))
    return copied([", ".join(names) or "plain", context, documents(context, rng), "f", None, None])
