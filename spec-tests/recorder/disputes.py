"""Where the consulted implementations are known to stray, and why their answer is not kept.

A quirk names the implementations it concerns and the cases where it may show. When the answers to
a case differ, the ones whose author has a quirk that may show are set aside; if the others agree,
that is the answer kept. The order of authority is: the official corpus, the behaviour settled for
this workspace, the JavaScript SDK, common sense.
"""

import re
import textwrap
from dataclasses import dataclass
from typing import Callable

from values import bucket

CONDITION_OPERATORS = ("$and", "$or", "$nor")


@dataclass(frozen=True)
class Quirk:
    """What some implementations do their own way."""

    name: str
    who: tuple
    reason: str
    may_show: Callable  # of a suite and a case


QUIRKS = []
CRASH = Quirk(
    "errors",
    ("javascript", "python", "rust"),
    "A malformed payload is no reason to fail: evaluation goes on, and a malformed condition passes "
    "nobody. JavaScript 1.8.0 throws on null in conditions and on a `meta` shorter than the variations.",
    lambda suite, case: False,
)


def quirk(name, *who):
    """Makes a quirk of a predicate; its docstring is the reason."""
    def register(predicate):
        QUIRKS.append(Quirk(name, who, " ".join(predicate.__doc__.split()), predicate))
        return predicate

    return register


# Parts of cases.

def objects(value):
    """Every object inside a value, itself included."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(item)


def operands(case, *operators):
    """The operands of some operators, wherever in a case."""
    return [value[name] for value in objects(case[1:]) for name in operators if name in value]


def context(suite, case):
    return {"attributes": case[2]} if suite == "evalCondition" else case[1]


def rules(suite, case):
    """The rules of a case's features; an inline experiment counts as one."""
    if suite == "evalCondition":
        return []
    features = case[1].get("features") or {}
    found = [rule for feature in features.values() for rule in feature.get("rules") or []]
    return [*found, case[2]] if suite == "run" else found


def any_rule(suite, case, test):
    return any(test(rule) for rule in rules(suite, case))


def users(suite, case):
    """What users are hashed by."""
    attributes = context(suite, case).get("attributes", {})
    return [attributes.get(name) for name in ("id", "company", "deviceId")]


def all_filters(suite, case):
    return [item for rule in rules(suite, case) for item in rule.get("filters") or []]


def has_url_patterns(suite, case):
    return suite == "run" and "urlPatterns" in case[2]


# Conditions.

@quirk("malformed lists of conditions", "rust")
def _(suite, case):
    """An operand of `$and`, `$or`, `$nor` or `$not` that is no list or object, or such an item, is
    treated like null: the whole evaluation fails when it is reached. Rust takes it for a condition
    that fails, which a `$not` around turns into a pass."""
    lists = operands(case, *CONDITION_OPERATORS)
    malformed = any(not isinstance(operand, dict) for operand in operands(case, "$not"))
    return malformed or any(
        not isinstance(operand, list) or any(not isinstance(item, dict) for item in operand)
        for operand in lists
    )


@quirk("malformed operand of `$elemMatch`", "rust")
def _(suite, case):
    """One that is no object fails the whole evaluation, as null does; Rust fails the operator only."""
    return any(not isinstance(operand, dict) for operand in operands(case, "$elemMatch"))


@quirk("key order of objects", "rust")
def _(suite, case):
    """Objects are equal when their keys come in the same order, as in JavaScript. Rust compares them
    as sets."""
    return suite == "evalCondition" and any(
        len(value) > 1 and not all(key.startswith("$") for key in value) for value in objects(case[1])
    )


@quirk("`$savedGroups` on a value", "rust")
def _(suite, case):
    """It is no operator on values, so its result is unknown, and stays so under `$not`. Rust decides
    it false."""
    return any(
        isinstance(value, dict) and "$savedGroups" in value
        for holder in objects(case[1]) for value in holder.values()
    )


@quirk("operators' names as attribute paths", "rust")
def _(suite, case):
    """Beside an attribute a `$name` other than `$or $nor $and $not $savedGroup $savedGroups` is an
    attribute path. Rust takes those of the operators on values for operators."""
    known = (*CONDITION_OPERATORS, "$not", "$savedGroup", "$savedGroups")
    mixed = any(
        any(key in known or not key.startswith("$") for key in operand)
        and any(key.startswith("$") and key not in known for key in operand)
        for operand in operands(case, "$elemMatch", "$all", "$alli") if isinstance(operand, dict)
    )
    top = isinstance(case[1], dict) and any(key.startswith("$") and key not in known for key in case[1])
    return suite == "evalCondition" and (top or mixed)


@quirk("operand of `$exists`", "rust")
def _(suite, case):
    """It counts by JavaScript's truthiness. Rust takes what is no boolean for false."""
    return any(not isinstance(operand, bool) for operand in operands(case, "$exists"))


@quirk("empty operand of `$exists`", "python")
def _(suite, case):
    """`[]` and `{}` are true in JavaScript; in Python they are false."""
    return any(operand in ([], {}) for operand in operands(case, "$exists"))


@quirk("digits of versions", "python")
def _(suite, case):
    """Only ASCII digits make a numeric part, as `[0-9]` says; Python takes digits of any script."""
    texts = [str(value) for value in [*case[2].values(), *operands(case, "$veq", "$vne", "$vgt", "$vgte",
             "$vlt", "$vlte")]] if suite == "evalCondition" else []
    return any(not text.isascii() for text in texts)


@quirk("unknown operators", "javascript")
def _(suite, case):
    """The result is unknown, and so is its negation. JavaScript 1.8.0 predates that: false, and true
    under `$not`."""
    return bool(operands(case, "$foo"))


@quirk("types in prerequisites", "javascript")
def _(suite, case):
    """Equality never converts types: neither 1 nor "x" is `true`. JavaScript 1.8.0 converts."""
    return any_rule(suite, case, lambda rule: any(
        isinstance((parent.get("condition") or {}).get("value"), (bool, str, int))
        for parent in rule.get("parentConditions") or []
    ))


# Hashing.

@quirk("what is hashable", "javascript")
def _(suite, case):
    """Booleans, arrays and objects identify nobody (official corpus: "id true is missing").
    JavaScript 1.8.0 hashes them as text."""
    return any(isinstance(user, (bool, list, dict)) for user in users(suite, case))


@quirk("numbers as text", "rust")
def _(suite, case):
    """A number is hashed as JavaScript's `String(n)`: a double, so 2^53+1 is 9007199254740992, and
    1e21 is "1e+21". Rust writes all digits."""
    return any(
        isinstance(user, (int, float)) and not isinstance(user, bool)
        and (abs(user) > 2**53 or 0 < abs(user) < 1e-6)
        for user in users(suite, case)
    )


@quirk("empty `hashAttribute`", "python")
def _(suite, case):
    """It means `id`, as in JavaScript; Python looks for an attribute of no name. The same for the
    attribute of a filter."""
    holders = [rule.get("hashAttribute") for rule in rules(suite, case)]
    return "" in [*holders, *(item.get("attribute") for item in all_filters(suite, case))]


@quirk("`hashVersion` 0", "rust")
def _(suite, case):
    """A falsy version means 1, as in JavaScript; Rust has 0 for an unknown one."""
    return any_rule(suite, case, lambda rule: rule.get("hashVersion") == 0)


@quirk("a filter's falsy `hashVersion`", "python")
def _(suite, case):
    """It means 2, as in JavaScript. Python does so only for an absent one."""
    return any("hashVersion" in item and not item["hashVersion"] for item in all_filters(suite, case))


@quirk("a filter's `hashVersion` 0 or `attribute` null", "rust")
def _(suite, case):
    """They mean 2 and `id`, as in JavaScript. Rust has them for an unknown version and for an
    attribute called null."""
    return any(
        item.get("hashVersion") == 0 or item.get("attribute", "id") is None
        for item in all_filters(suite, case)
    )


# Rules.

@quirk("`force: null`", "python", "rust")
def _(suite, case):
    """A rule with the member `force` is a force rule, whatever its value (JavaScript)."""
    return suite == "feature" and any_rule(suite, case, lambda rule: "force" in rule and rule["force"] is None)


@quirk("coverage null", "javascript")
def _(suite, case):
    """It is as if absent (Python, Rust); JavaScript compares with null, which is 0."""
    return any_rule(suite, case, lambda rule: "coverage" in rule and rule["coverage"] is None)


@quirk("the `fallbackAttribute` of a rollout", "python")
def _(suite, case):
    """It counts with sticky buckets only (JavaScript), for a forced value as for an experiment. Python
    takes it for every forced value."""
    return suite == "feature" and any_rule(
        suite, case, lambda rule: "force" in rule and bool(rule.get("fallbackAttribute"))
    )


@quirk("coverage equal to the hash", "javascript")
def _(suite, case):
    """Coverage excludes its end (official corpus: "coverage equal to hash excluded"); JavaScript 1.8.0
    includes it."""
    attributes = context(suite, case).get("attributes", {})

    def at_the_end(rule):
        seed, version = rule.get("seed") or "f", rule.get("hashVersion") or 1
        user = attributes.get(rule.get("hashAttribute") or "id")
        return "force" in rule and rule.get("coverage") == bucket(seed, str(user), version)

    return any_rule(suite, case, at_the_end)


@quirk("`range: []`", "python", "rust")
def _(suite, case):
    """An empty range includes nobody (JavaScript); Python and Rust take it for absent."""
    return any_rule(suite, case, lambda rule: rule.get("range") == [])


@quirk("`ranges: []`", "python")
def _(suite, case):
    """Empty ranges include nobody (JavaScript, Rust); Python takes them for absent."""
    return any_rule(suite, case, lambda rule: rule.get("ranges") == [])


@quirk("negative weights", "python")
def _(suite, case):
    """Weights become equal only for a wrong length or a sum far from 1; Python checks each of them."""
    return any_rule(suite, case, lambda rule: any(weight < 0 for weight in rule.get("weights") or []))


@quirk("`meta[].key` empty", "python", "rust")
def _(suite, case):
    """It means the variation's index (JavaScript)."""
    return any_rule(suite, case, lambda rule: any(meta.get("key") == "" for meta in rule.get("meta") or []))


@quirk("a namespace beside filters", "python", "rust")
def _(suite, case):
    """Filters replace the namespace, even empty ones (JavaScript). Rust checks both, Python when the
    filters are empty."""
    return any_rule(suite, case, lambda rule: "filters" in rule and "namespace" in rule)


@quirk("a condition before forced variations", "python")
def _(suite, case):
    """A url override, a forced variation and a sticky bucket come before an experiment's condition
    (JavaScript). Python checks the condition of a rule first."""
    decided = "url" in context(suite, case) or "forcedVariations" in context(suite, case)
    return (suite == "feature" and decided or suite == "stickyBucket") and any_rule(
        suite, case, lambda rule: "variations" in rule and bool(rule.get("condition"))
    )


@quirk("forced variations", "rust")
def _(suite, case):
    """They are by experiment key, and a bad index is not in the experiment (JavaScript, Python). Rust
    looks them up by feature and ignores bad ones."""
    return "forcedVariations" in context(suite, case)


@quirk("the query string", "javascript")
def _(suite, case):
    """The url is parsed: decoded keys and values, no fragment, the index an integer of ASCII digits
    (Python). JavaScript splits at "?" and "&" and reads digits up to another character."""
    page, _, query = context(suite, case).get("url", "").partition("?")
    return "#" in page or re.search(r"[%+?]|[0-9][^0-9&#]", query) is not None


@quirk("empty values in the query string", "python")
def _(suite, case):
    """The first value of a key counts, even an empty one; Python's parser drops empty ones."""
    return "=&" in context(suite, case).get("url", "")


# Sticky buckets.

@quirk("stored variations", "rust")
def _(suite, case):
    """A stored key is matched with `meta[].key` (official corpus). Rust reads it as an index, without
    looking at ranges, versions and documents the way the others do."""
    return suite == "stickyBucket" and any(document["assignments"] for document in case[2])


@quirk("merged documents", "python")
def _(suite, case):
    """The fallback's document is merged under the hash attribute's without changing either
    (JavaScript); Python writes into the latter."""
    return suite == "stickyBucket" and len(case[2]) > 1 and any_rule(
        suite, case, lambda rule: bool(rule.get("fallbackAttribute"))
    )


@quirk("documents of a disabled fallback", "python")
def _(suite, case):
    """What is loaded depends on the attributes that rules name (JavaScript); Python forgets the
    fallback of a rule with `disableStickyBucketing`."""
    return suite == "stickyBucket" and any_rule(
        suite, case, lambda rule: "disableStickyBucketing" in rule and "fallbackAttribute" in rule
    )


@quirk("the `id` document", "python")
def _(suite, case):
    """Without a `fallbackAttribute` the document of `id` is read as well, when loaded (JavaScript)."""
    return suite == "stickyBucket" and any_rule(
        suite, case, lambda rule: not rule.get("fallbackAttribute") and rule.get("hashAttribute", "id") != "id"
    )


# Agreement that is not trusted.

def is_big(value):
    return isinstance(value, int) and abs(value) > 2**53


def numbers(value):
    """Every number inside a value."""
    if isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from numbers(item)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def loses_digits(case):
    """Whether JavaScript writes a number of the case otherwise than it stands there."""
    return any(is_big(number) for number in numbers(case[1:]))


def is_doubtful(suite, case):
    """Whether Python and Rust are known to be wrong alike. CHOSEN has such cases."""
    if suite != "evalCondition":
        return False
    return (
        loses_digits(case)
        or any(operand in ([], {}) for operand in operands(case, "$exists"))
        or any(operand in ({}, "") for operand in operands(case, *CONDITION_OPERATORS))
        or any(not isinstance(operand, dict) for operand in operands(case, "$elemMatch"))
    )


# Nobody consulted gives these answers: by name, the reason and the cases (condition, attributes,
# answer).
CHOSEN = {
    "numbers are doubles": (
        """Integers beyond 2^53 are read as the nearest double, as JavaScript does. Python and Rust
        compare them digit by digit.""",
        [
            ({"a": 9007199254740993}, {"a": 9007199254740992}, True),
            ({"a": {"$eq": 9007199254740993}}, {"a": 9007199254740992}, True),
            ({"a": {"$ne": 9007199254740993}}, {"a": 9007199254740992}, False),
            ({"a": {"$in": [9007199254740993]}}, {"a": [9007199254740992]}, True),
            ({"a": {"$nin": [9007199254740993]}}, {"a": 9007199254740992}, False),
            ({"a": {"$gt": 9007199254740992}}, {"a": 9007199254740993}, False),
            ({"a": {"$gte": 9007199254740993}}, {"a": 9007199254740992}, True),
            ({"a": [9007199254740993]}, {"a": [9007199254740992]}, True),
        ],
    ),
    "truthiness of `$exists`": (
        """Its operand counts by JavaScript's truthiness, in which `[]` and `{}` are true.""",
        [
            ({"a": {"$exists": []}}, {}, False),
            ({"a": {"$exists": []}}, {"a": 1}, True),
            ({"a": {"$exists": {}}}, {}, False),
            ({"a": {"$exists": {}}}, {"a": 1}, True),
        ],
    ),
    "a condition list that is no list": (
        """It is treated like null: the whole evaluation fails, even under `$not`, when it is reached.
        Python and Rust have an empty object for an empty list, or differ.""",
        [
            ({"$and": {}}, {}, False),
            ({"$or": {}}, {}, False),
            ({"$nor": {}}, {}, False),
            ({"$not": {"$and": {}}}, {}, False),
            ({"$not": {"$nor": {}}}, {}, False),
            ({"$not": {"$or": ""}}, {}, False),
            ({"$not": {"a": 2, "$and": {}}}, {"a": 1}, True),
            ({"$not": {"$and": {}, "a": 2}}, {"a": 1}, False),
            ({"$or": [{"a": 1}, {"$or": {}}]}, {"a": 1}, True),
        ],
    ),
    "a null operand of `$elemMatch`": (
        """The whole evaluation fails, as JavaScript throws, also when the array has no element to test.
        Python and Rust have it decided false then.""",
        [
            ({"$not": {"a": {"$elemMatch": None}}}, {"a": []}, False),
            ({"$not": {"a": {"$elemMatch": None}}}, {"a": [None]}, False),
            ({"$not": {"a": {"$elemMatch": None}}}, {"a": [1]}, False),
            ({"$not": {"a": {"$elemMatch": None}}}, {"a": "text"}, True),
            ({"$not": {"a": {"$elemMatch": None}}}, {}, True),
        ],
    ),
}


def chosen_cases():
    return [
        [f"{name} #{index}", condition, attributes, answer]
        for name, (_, cases) in CHOSEN.items()
        for index, (condition, attributes, answer) in enumerate(cases)
    ]


def showing(question):
    """The quirks that may show in a case."""
    return [quirk for quirk in QUIRKS if quirk.may_show(question.suite, question.case)]


def strayed(quirks):
    return {name for quirk in quirks for name in quirk.who}


def kept_answer(question):
    """The answer of those whose quirks do not show, if they agree on one, and the quirks that did.
    Who was set aside without need and answers the same counts again."""
    if is_doubtful(question.suite, question.case):
        return None, []
    quirks = showing(question)
    aside = strayed(quirks)
    steady = {name: answer for name, answer in question.answers.items() if name not in aside}
    if not steady and question.errors and len(question.answers) > 1:
        steady = question.answers
    if not steady or not question.agree(steady):
        return None, []
    wrong = question.differing_from(steady)
    alike = {name: answer for name, answer in question.answers.items() if name not in wrong}
    shown = [quirk for quirk in quirks if wrong & set(quirk.who)]
    return question.preferred(alike), shown + ([CRASH] if question.errors else [])


def report(shown):
    """The page beside the disputed cases."""
    lines = ["# Disputed cases", "", *HEADER.strip().splitlines(), ""]

    def section(name, reason, note):
        lines.extend([f"## {name[0].upper()}{name[1:]}", ""])
        for paragraph in (reason, note):
            lines.extend([*textwrap.wrap(" ".join(paragraph.split()), 100, break_on_hyphens=False), ""])

    for quirk, names in shown.items():
        example = min(names, key=len)
        note = f"May stray: {', '.join(quirk.who)}. Cases: {len(names)}, such as `{example}`."
        section(quirk.name, quirk.reason, note)
    for name, (reason, cases) in CHOSEN.items():
        section(name, reason, f"Cases: {len(cases)}, answered by hand.")
    return "\n".join(lines)


HEADER = """
The cases of `disputed.json`: the Python SDK 4.0.0, the Rust SDK 0.4.0 and the JavaScript SDK 1.8.0
do not answer them alike. Each is listed under all that makes them differ, with the reason for the
answer that is kept. The order of authority is: the official corpus, the behaviour settled for this
workspace, the JavaScript SDK, common sense. This page is written by `recorder/record.py`.
"""
