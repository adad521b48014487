"""The known quirks of the consulted implementations, and why their answers are not kept.

A quirk names its implementations, and has a predicate for the cases where it may show. When the
answers to a case differ, the implementations with such a quirk are excluded. If the others agree,
their answer is kept. The order of authority is: the official corpus, the decisions of this
workspace, the JavaScript SDK, common sense.
"""

import re
import textwrap
from dataclasses import dataclass
from typing import Callable

from values import bucket

CONDITION_OPERATORS = ("$and", "$or", "$nor")


@dataclass(frozen=True)
class Quirk:
    """A known deviation of some implementations."""

    name: str
    who: tuple
    reason: str
    may_show: Callable  # of a suite and a case


QUIRKS = []
CRASH = Quirk(
    "errors",
    ("javascript", "python", "rust"),
    "Evaluation must not fail on a malformed payload. No user passes a malformed condition. JavaScript "
    "1.8.0 throws on null in conditions, and on a `meta` shorter than the variations.",
    lambda suite, case: False,
)


def quirk(name, *who):
    """Registers a predicate as a quirk. Its docstring is the reason."""
    def register(predicate):
        QUIRKS.append(Quirk(name, who, " ".join(predicate.__doc__.split()), predicate))
        return predicate

    return register


# Parts of cases.

def objects(value):
    """Yields every object inside a value, and the value itself if it is an object."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(item)


def operands(case, *operators):
    """Returns the operands of these operators anywhere in a case."""
    return [value[name] for value in objects(case[1:]) for name in operators if name in value]


def context(suite, case):
    return {"attributes": case[2]} if suite == "evalCondition" else case[1]


def rules(suite, case):
    """Returns the rules of a case's features. An inline experiment counts as a rule."""
    if suite == "evalCondition":
        return []
    features = case[1].get("features") or {}
    found = [rule for feature in features.values() for rule in feature.get("rules") or []]
    return [*found, case[2]] if suite == "run" else found


def any_rule(suite, case, test):
    return any(test(rule) for rule in rules(suite, case))


def users(suite, case):
    """Returns the values that users are hashed by."""
    attributes = context(suite, case).get("attributes", {})
    return [attributes.get(name) for name in ("id", "company", "deviceId")]


def all_filters(suite, case):
    return [item for rule in rules(suite, case) for item in rule.get("filters") or []]


def has_url_patterns(suite, case):
    return suite == "run" and "urlPatterns" in case[2]


# Conditions.

@quirk("malformed lists of conditions", "rust")
def _(suite, case):
    """An operand of `$and`, `$or`, `$nor` or `$not` that is not a list or object counts as null. So
    does such an item of a list. The whole evaluation fails when it reaches one. Rust treats it as a
    condition that fails, so that an outer `$not` passes."""
    lists = operands(case, *CONDITION_OPERATORS)
    malformed = any(not isinstance(operand, dict) for operand in operands(case, "$not"))
    return malformed or any(
        not isinstance(operand, list) or any(not isinstance(item, dict) for item in operand)
        for operand in lists
    )


@quirk("malformed operand of `$elemMatch`", "rust")
def _(suite, case):
    """An operand that is not an object fails the whole evaluation, like null. In Rust only the operator
    fails."""
    return any(not isinstance(operand, dict) for operand in operands(case, "$elemMatch"))


@quirk("key order of objects", "rust")
def _(suite, case):
    """Equal objects have their keys in the same order, as in JavaScript. Rust ignores the order."""
    return suite == "evalCondition" and any(
        len(value) > 1 and not all(key.startswith("$") for key in value) for value in objects(case[1])
    )


@quirk("`$savedGroups` on a value", "rust")
def _(suite, case):
    """It is not an operator on values, so its result is unknown, also under `$not`. In Rust the result
    is false."""
    return any(
        isinstance(value, dict) and "$savedGroups" in value
        for holder in objects(case[1]) for value in holder.values()
    )


@quirk("operator names as attribute paths", "rust")
def _(suite, case):
    """Next to an attribute, a `$name` is an attribute path, except `$or`, `$nor`, `$and`, `$not`,
    `$savedGroup` and `$savedGroups`. Rust treats the names of value operators as operators."""
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
    """JavaScript's truthiness decides. In Rust every operand that is not a boolean is false."""
    return any(not isinstance(operand, bool) for operand in operands(case, "$exists"))


@quirk("empty operand of `$exists`", "python")
def _(suite, case):
    """`[]` and `{}` are true in JavaScript. They are false in Python."""
    return any(operand in ([], {}) for operand in operands(case, "$exists"))


@quirk("digits of versions", "python")
def _(suite, case):
    """A numeric part has only ASCII digits, as `[0-9]` defines. Python accepts digits of any script."""
    texts = [str(value) for value in [*case[2].values(), *operands(case, "$veq", "$vne", "$vgt", "$vgte",
             "$vlt", "$vlte")]] if suite == "evalCondition" else []
    return any(not text.isascii() for text in texts)


@quirk("unknown operators", "javascript")
def _(suite, case):
    """The result is unknown, and so is its negation. In JavaScript 1.8.0, which is older than that rule,
    the result is false, and true under `$not`."""
    return bool(operands(case, "$foo"))


@quirk("types in prerequisites", "javascript")
def _(suite, case):
    """Equality never converts types: neither 1 nor "x" equals `true`. JavaScript 1.8.0 converts them."""
    return any_rule(suite, case, lambda rule: any(
        isinstance((parent.get("condition") or {}).get("value"), (bool, str, int))
        for parent in rule.get("parentConditions") or []
    ))


# Hashing.

@quirk("hashable values", "javascript")
def _(suite, case):
    """Booleans, arrays and objects do not identify a user (official corpus: "id true is missing").
    JavaScript 1.8.0 hashes them as text."""
    return any(isinstance(user, (bool, list, dict)) for user in users(suite, case))


@quirk("numbers as text", "rust")
def _(suite, case):
    """A number is a double, and is hashed as JavaScript's `String(n)`. So 2^53+1 is 9007199254740992,
    and 1e21 is "1e+21". Rust writes all digits."""
    return any(
        isinstance(user, (int, float)) and not isinstance(user, bool)
        and (abs(user) > 2**53 or 0 < abs(user) < 1e-6)
        for user in users(suite, case)
    )


@quirk("empty `hashAttribute`", "python")
def _(suite, case):
    """It means `id`, as in JavaScript. Python looks for an attribute with an empty name. The same holds
    for the attribute of a filter."""
    holders = [rule.get("hashAttribute") for rule in rules(suite, case)]
    return "" in [*holders, *(item.get("attribute") for item in all_filters(suite, case))]


@quirk("`hashVersion` 0", "rust")
def _(suite, case):
    """A falsy version means 1, as in JavaScript. In Rust the version 0 is unknown."""
    return any_rule(suite, case, lambda rule: rule.get("hashVersion") == 0)


@quirk("a filter's falsy `hashVersion`", "python")
def _(suite, case):
    """It means 2, as in JavaScript. In Python only an absent version means 2."""
    return any("hashVersion" in item and not item["hashVersion"] for item in all_filters(suite, case))


@quirk("a filter's falsy `hashVersion`, or `attribute` null", "rust")
def _(suite, case):
    """They mean 2 and `id`, as in JavaScript. In Rust they are an unknown version, and an attribute with
    the name null."""
    return any(
        not item.get("hashVersion", 2) or item.get("attribute", "id") is None
        for item in all_filters(suite, case)
    )


# Rules.

@quirk("`force: null`", "python", "rust")
def _(suite, case):
    """A rule with the member `force` is a force rule, for any value of the member (JavaScript)."""
    return suite == "feature" and any_rule(suite, case, lambda rule: "force" in rule and rule["force"] is None)


@quirk("coverage null", "javascript")
def _(suite, case):
    """It counts as absent (Python, Rust). In JavaScript it counts as 0."""
    return any_rule(suite, case, lambda rule: "coverage" in rule and rule["coverage"] is None)


@quirk("the `fallbackAttribute` of a rollout", "python")
def _(suite, case):
    """It needs sticky buckets (JavaScript), for a forced value as for an experiment. Python uses it for
    every forced value."""
    return suite == "feature" and any_rule(
        suite, case, lambda rule: "force" in rule and bool(rule.get("fallbackAttribute"))
    )


@quirk("coverage equal to the hash", "javascript")
def _(suite, case):
    """Coverage excludes its end (official corpus: "coverage equal to hash excluded"). JavaScript 1.8.0
    includes it."""
    attributes = context(suite, case).get("attributes", {})

    def at_the_end(rule):
        seed, version = rule.get("seed") or "f", rule.get("hashVersion") or 1
        user = attributes.get(rule.get("hashAttribute") or "id")
        return "force" in rule and rule.get("coverage") == bucket(seed, str(user), version)

    return any_rule(suite, case, at_the_end)


@quirk("`range: []`", "python", "rust")
def _(suite, case):
    """An empty range includes no user (JavaScript). In Python and Rust it counts as absent."""
    return any_rule(suite, case, lambda rule: rule.get("range") == [])


@quirk("`ranges: []`", "python")
def _(suite, case):
    """Empty ranges include no user (JavaScript, Rust). In Python they count as absent."""
    return any_rule(suite, case, lambda rule: rule.get("ranges") == [])


@quirk("negative weights", "python")
def _(suite, case):
    """Equal weights replace the given ones only if their number is wrong, or their sum is not close to
    1. Python also checks each weight."""
    return any_rule(suite, case, lambda rule: any(weight < 0 for weight in rule.get("weights") or []))


@quirk("`meta[].key` empty", "python", "rust")
def _(suite, case):
    """It means the variation's index (JavaScript)."""
    return any_rule(suite, case, lambda rule: any(meta.get("key") == "" for meta in rule.get("meta") or []))


@quirk("a namespace next to filters", "python", "rust")
def _(suite, case):
    """Filters replace the namespace, even if they are empty (JavaScript). Rust checks both. Python checks
    the namespace if the filters are empty."""
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
    """They belong to an experiment key, and a user with a bad index is not in the experiment (JavaScript,
    Python). Rust looks them up by feature, and ignores bad indexes."""
    return "forcedVariations" in context(suite, case)


@quirk("the query string", "javascript")
def _(suite, case):
    """The url is parsed: keys and values are decoded, and the fragment does not count. The index is an
    integer of ASCII digits (Python). JavaScript splits at "?" and "&", and reads leading digits."""
    page, _, query = context(suite, case).get("url", "").partition("?")
    return "#" in page or re.search(r"[%+?]|[0-9][^0-9&#]", query) is not None


@quirk("empty values in the query string", "python")
def _(suite, case):
    """The first value of a key counts, even if it is empty. Python's parser drops empty values."""
    return "=&" in context(suite, case).get("url", "")


# Sticky buckets.

@quirk("stored variations", "rust")
def _(suite, case):
    """A stored key is compared with `meta[].key` (official corpus). Rust reads it as an index. It also
    treats ranges, versions and documents in another way."""
    return suite == "stickyBucket" and any(document["assignments"] for document in case[2])


@quirk("merged documents", "python")
def _(suite, case):
    """The documents of the fallback and of the hash attribute are merged, and the latter has precedence.
    Neither changes (JavaScript). Python changes the latter."""
    return suite == "stickyBucket" and len(case[2]) > 1 and any_rule(
        suite, case, lambda rule: bool(rule.get("fallbackAttribute"))
    )


@quirk("documents of a disabled fallback", "python")
def _(suite, case):
    """The attributes that rules name decide which documents are loaded (JavaScript). Python ignores the
    fallback of a rule with `disableStickyBucketing`."""
    return suite == "stickyBucket" and any_rule(
        suite, case, lambda rule: "disableStickyBucketing" in rule and "fallbackAttribute" in rule
    )


@quirk("the `id` document", "python")
def _(suite, case):
    """Without a `fallbackAttribute`, the document of `id` also counts, if it is loaded (JavaScript)."""
    return suite == "stickyBucket" and any_rule(
        suite, case, lambda rule: not rule.get("fallbackAttribute") and rule.get("hashAttribute", "id") != "id"
    )


# Agreement that is not trusted.

def is_big(value):
    return isinstance(value, int) and abs(value) > 2**53


def numbers(value):
    """Yields every number inside a value."""
    if isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from numbers(item)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def loses_digits(case):
    """Whether JavaScript would change the digits of a number in the case."""
    return any(is_big(number) for number in numbers(case[1:]))


def is_doubtful(suite, case):
    """Whether Python and Rust are known to give the same wrong answer. CHOSEN has such cases."""
    if suite != "evalCondition":
        return False
    return (
        loses_digits(case)
        or any(operand in ([], {}) for operand in operands(case, "$exists"))
        or any(operand in ({}, "") for operand in operands(case, *CONDITION_OPERATORS))
        or any(not isinstance(operand, dict) for operand in operands(case, "$elemMatch"))
    )


# Cases that all consulted implementations answer wrongly. By name: the reason, and the cases with
# condition, attributes and answer.
CHOSEN = {
    "numbers are doubles": (
        """Integers above 2^53 are read as the nearest double, as in JavaScript. Python and Rust compare
        them digit by digit.""",
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
        """JavaScript's truthiness of the operand decides. There `[]` and `{}` are true.""",
        [
            ({"a": {"$exists": []}}, {}, False),
            ({"a": {"$exists": []}}, {"a": 1}, True),
            ({"a": {"$exists": {}}}, {}, False),
            ({"a": {"$exists": {}}}, {"a": 1}, True),
        ],
    ),
    "a condition list that is no list": (
        """It counts as null: the whole evaluation fails when it reaches the operand, even under `$not`.
        Python and Rust treat an empty object as an empty list, or differ from each other.""",
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
        """The whole evaluation fails, because JavaScript throws. This also holds for an array without
        elements. There the result is false in Python and Rust.""",
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
    """Returns the quirks that may show in a case."""
    return [quirk for quirk in QUIRKS if quirk.may_show(question.suite, question.case)]


def deviating(quirks):
    """Returns the implementations that have one of these quirks."""
    return {name for quirk in quirks for name in quirk.who}


def kept_answer(question):
    """Returns the answer to keep, and the quirks that showed. It is the answer of the implementations
    without a quirk that may show, if they agree. Another implementation with the same answer counts
    again, because its quirk did not show."""
    if is_doubtful(question.suite, question.case):
        return None, []
    quirks = showing(question)
    excluded = deviating(quirks)
    reliable = {name: answer for name, answer in question.answers.items() if name not in excluded}
    if not reliable and question.errors and len(question.answers) > 1:
        reliable = question.answers
    if not reliable or not question.agree(reliable):
        return None, []
    wrong = question.differing_from(reliable)
    alike = {name: answer for name, answer in question.answers.items() if name not in wrong}
    shown = [quirk for quirk in quirks if wrong & set(quirk.who)]
    return question.preferred(alike), shown + ([CRASH] if question.errors else [])


def report(shown):
    """Returns the page about the disputed cases."""
    lines = ["# Disputed cases", "", *HEADER.strip().splitlines(), ""]

    def section(name, reason, note):
        lines.extend([f"## {name[0].upper()}{name[1:]}", ""])
        for paragraph in (reason, note):
            lines.extend([*textwrap.wrap(" ".join(paragraph.split()), 100, break_on_hyphens=False), ""])

    for quirk, names in shown.items():
        example = min(names, key=len)
        note = f"May deviate: {', '.join(quirk.who)}. Cases: {len(names)}, such as `{example}`."
        section(quirk.name, quirk.reason, note)
    for name, (reason, cases) in CHOSEN.items():
        section(name, reason, f"Cases: {len(cases)}, answered by hand.")
    return "\n".join(lines)


HEADER = """
The Python SDK 4.0.0, the Rust SDK 0.4.0 and the JavaScript SDK 1.8.0 give different answers to the
cases in `disputed.json`. Each section is one cause, with the reason for the answer that is kept. A
case may have several causes. The order of authority is: the official corpus, the decisions of this
workspace, the JavaScript SDK, common sense. `recorder/record.py` writes this page.
"""
