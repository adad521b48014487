"""Cases of evalCondition: [name, condition, attributes, null, saved groups?]."""

from values import (
    ARRAYS, LITERALS, MISSING, NUMBERS, OBJECTS, STRINGS, VERSIONS, any_value, attributes_of,
    related, reordered, type_name,
)

LIST_OPERATORS = ["$in", "$nin", "$ini", "$nini", "$all", "$alli"]
ORDER_OPERATORS = ["$lt", "$lte", "$gt", "$gte"]
VERSION_OPERATORS = ["$veq", "$vne", "$vgt", "$vgte", "$vlt", "$vlte"]
PATTERN_OPERATORS = ["$regex", "$regexi", "$notRegex", "$notRegexi"]
GROUP_OPERATORS = ["$inGroup", "$notInGroup"]
MISPLACED = ["$and", "$or", "$nor", "$savedGroup", "$savedGroups"]
UNKNOWN = ["$regx", "$foo", "$", "$EQ"]
OPERATORS = [
    "$eq", "$ne", *LIST_OPERATORS, *ORDER_OPERATORS, *VERSION_OPERATORS, *PATTERN_OPERATORS,
    *GROUP_OPERATORS, "$exists", "$type", "$size", "$elemMatch", "$not", *MISPLACED, *UNKNOWN,
]
TYPES = ["string", "number", "boolean", "array", "object", "null", "undefined", "unknown", "", None]
# Patterns with the same meaning in every dialect, and a few malformed ones.
PATTERNS = ["a", "^a$", "b|c", "^A", "[0-9]+", "a.c", "", "é", "ß", "o$", "(", "[", "a{2}", "1", "null"]


def operand(operator, value, rng):
    """Returns an operand that fits the operator, or sometimes any value."""
    if rng.random() < 0.15:
        return any_value(rng)
    if operator in LIST_OPERATORS:
        members = value if isinstance(value, list) and rng.random() < 0.7 else [value]
        others = [any_value(rng) for _ in range(rng.randrange(3))]
        operands = others + [related(member, rng) for member in members]
        rng.shuffle(operands)
        return operands
    if operator in PATTERN_OPERATORS:
        return rng.choice(PATTERNS)
    if operator == "$type":
        return rng.choice([type_name(value), rng.choice(TYPES)])
    if operator == "$size":
        size = len(value) if isinstance(value, list) else 1
        return rng.choice([size, float(size), {"$gt": 0}, {"$lte": size}, str(size), size + 1, {}])
    if operator == "$elemMatch":
        return element_condition(rng)
    if operator == "$not":
        inner = rng.choice(OPERATORS)
        return rng.choice([related(value, rng), {inner: operand(inner, value, rng)}])
    if operator in GROUP_OPERATORS:
        return rng.choice(list(GROUPS))
    return related(value, rng)


def operators(rng):
    value = rng.choice([any_value(rng), any_value(rng), MISSING])
    operator = rng.choice(OPERATORS)
    if operator in VERSION_OPERATORS and rng.random() < 0.8:
        return versions(rng)
    condition = {"a": {operator: operand(operator, value, rng)}}
    if rng.random() < 0.1:
        other = rng.choice(OPERATORS)
        condition["a"][other] = operand(other, value, rng)
    return f"{operator} of {type_name(value)}", condition, attributes_of(a=value), GROUPS


def lists(rng):
    operator = rng.choice(LIST_OPERATORS)
    value = rng.choice([rng.choice(ARRAYS), [any_value(rng), any_value(rng)], any_value(rng)])
    return f"{operator} list", {"a": {operator: operand(operator, value, rng)}}, {"a": value}


def equality(rng):
    value = rng.choice([any_value(rng), rng.choice(OBJECTS), rng.choice(ARRAYS)])
    literal = rng.choice([related(value, rng), reordered(value, rng)])
    if rng.random() < 0.3:
        value, literal = {"x": value, "y": [value]}, {"x": literal, "y": [literal]}
    return f"{type_name(value)} equals", {"a": literal}, {"a": value}


def ordering(rng):
    pool = rng.choice([NUMBERS, STRINGS, LITERALS + NUMBERS + STRINGS])
    operator = rng.choice(ORDER_OPERATORS)
    return f"{operator} order", {"a": {operator: rng.choice(pool)}}, {"a": rng.choice(pool)}


def versions(rng):
    operator = rng.choice(VERSION_OPERATORS)
    value, other = rng.choice(VERSIONS), rng.choice(VERSIONS)
    return f"{operator} version", {"a": {operator: other}}, {"a": value}


def doubles(rng):
    operator = rng.choice(["$eq", "$ne", "$in", "$nin", "$all", *ORDER_OPERATORS])
    value, other = rng.choice(NUMBERS), rng.choice(NUMBERS)
    other = rng.choice([value, -value, other, float(value), value + 1])
    test = [other] if operator in LIST_OPERATORS else other
    value = [value] if operator == "$all" else value
    return f"{operator} number", rng.choice([{"a": {operator: test}}, {"a": other}]), {"a": value}


def letter_case(rng):
    operator = rng.choice(["$in", "$ini", "$nini", "$alli", "$all"])
    value = rng.choice([rng.choice(STRINGS), [rng.choice(STRINGS), rng.choice(STRINGS)]])
    first = value if isinstance(value, str) else value[0]
    turned = rng.choice([first.upper(), first.lower(), first.swapcase(), first])
    return f"{operator} case", {"a": {operator: [turned, rng.choice(STRINGS)]}}, {"a": value}


def truth(rng, depth=3):
    """Returns a condition on {"p": 1}. It passes, fails, is undecided, or combines such conditions."""
    leaves = [{"p": 1}, {"p": 2}, {"p": {"$foo": 1}}, {"q": {"$exists": False}}, {}]
    if depth == 0 or rng.random() < 0.3:
        return rng.choice(leaves)
    condition = {}
    for _ in range(rng.choice([1, 1, 2, 2, 3])):
        key = rng.choice(["$and", "$or", "$nor", "$not", "p", "q"])
        if key in ("p", "q"):
            condition[key] = rng.choice([1, 2, {"$foo": 1}, {"$not": {"$foo": 1}}, {"$gt": 0}])
        elif rng.random() < 0.08:
            condition[key] = rng.choice([None, [None], [], {}, [1], "x", [[]]])
        elif key == "$not":
            condition[key] = truth(rng, depth - 1)
        else:
            parts = [truth(rng, depth - 1) for _ in range(rng.randrange(4))]
            if rng.random() < 0.08:
                parts.insert(rng.randrange(len(parts) + 1), None)
            condition[key] = parts
    return condition


def logic(rng):
    return "logic", truth(rng), {"p": 1}


PATHS = [
    "a", "a.b", "a.b.c", "a.0", "a.1", "a.00", "a.-1", "a.+1", "a.1e0", "a.length", "a.0.b", "a.b.0",
    "a.b.length", "", ".", "a.", ".a", "a..b", "a.toString", "a.constructor", "__proto__", "a.4294967296",
    "$regx", "$in", "$groups", "a.$in",
]
HOLDERS = [
    {"b": 1}, {"b": {"c": 1}}, {"b": [1, 2]}, {"b": "text"}, [1, 2], [{"b": 1}], "text", "", {}, [],
    {"length": 3}, {"0": "x", "00": "y"}, {"": 1}, {"": {"b": 1}}, None, 5, True, {"b": None},
]
LOOKUPS = [1, 2, "t", 3, 4, None, {"$exists": True}, {"$exists": False}, {"$type": "number"}, {}]


def paths(rng):
    attributes = {"a": rng.choice(HOLDERS)}
    if rng.random() < 0.3:
        attributes[rng.choice(["", "a.b", "$in", "$regx", "$groups"])] = 1
    path = rng.choice(PATHS)
    return f"path {path!r}", {path: rng.choice(LOOKUPS)}, attributes


def element_condition(rng):
    part = rng.choice(["$eq", "$gt", "$regex", "$not", "$in", "$foo", "$exists", "$size", "$or", "$and"])
    tests = {"$eq": 1, "$gt": 0, "$regex": "a", "$not": {"$gt": 1}, "$in": [1, "a"], "$foo": 1,
             "$exists": False, "$size": 1, "$or": [{"a": 1}, {}], "$and": [{"a": 1}]}
    return rng.choice([
        {part: tests[part]}, {part: tests[part], "$ne": 2}, {"a": {part: tests[part]}},
        {"a": 1}, {"$not": {"a": 1}}, {"$nor": [{"a": 1}]}, {}, None, 1, [], {"length": 1},
        {"a": 1, "$eq": 1}, {"$savedGroup": {"id": "list"}},
    ])


def elements(rng):
    operator = rng.choice(["$elemMatch", "$all", "$alli", "$size"])
    value = rng.choice([rng.choice(ARRAYS), [any_value(rng), any_value(rng)], any_value(rng)])
    if operator == "$elemMatch":
        test = element_condition(rng)
    elif operator == "$size":
        test = operand("$size", value, rng)
    else:
        test = [rng.choice([element_condition(rng), related(value, rng)]) for _ in range(rng.randrange(3))]
    return f"{operator} of {type_name(value)}", {"a": {operator: test}}, {"a": value}, GROUPS


GROUPS = {
    "bare": ["1", "a", 1],
    "empty": [],
    "list": {"type": "list", "attributeKey": "a", "values": ["1", "a", 1, None]},
    "other": {"type": "list", "attributeKey": "b", "values": ["x", True, 0]},
    "keyless": {"type": "list", "values": ["a", "x"]},
    "nullKey": {"type": "list", "attributeKey": None, "values": ["a", "x"]},
    "valueless": {"type": "list", "attributeKey": "a"},
    "badValues": {"type": "list", "attributeKey": "a", "values": {"a": 1}},
    "condition": {"type": "condition", "condition": {"a": {"$in": ["a", "b"]}}},
    "undecided": {"type": "condition", "condition": {"a": {"$foo": 1}}},
    "nested": {"type": "condition", "condition": {"$not": {"$savedGroup": {"id": "condition"}}}},
    "twice": {"type": "condition", "condition": {"$or": [
        {"$savedGroup": {"id": "list"}}, {"$savedGroup": {"id": "condition"}}]}},
    "self": {"type": "condition", "condition": {"$not": {"$savedGroup": {"id": "self"}}}},
    "ping": {"type": "condition", "condition": {"$savedGroup": {"id": "pong"}}},
    "pong": {"type": "condition", "condition": {"$or": [{"a": "b"}, {"$savedGroup": {"id": "ping"}}]}},
    "conditionless": {"type": "condition"},
    "badCondition": {"type": "condition", "condition": ["a"]},
    "future": {"type": "future", "values": ["a"]},
    "typeless": {"values": ["a"]},
    "null": None,
    "text": "a",
    "number": 1,
}


def groups(rng):
    group = rng.choice([*GROUPS, "absent"])
    reference = {"id": group}
    if rng.random() < 0.3:
        reference["attributeKey"] = rng.choice(["b", "a", "c", "", None, 1, "d.e"])
    if rng.random() < 0.1:
        reference["note"] = 1
    if rng.random() < 0.08:
        reference = rng.choice([None, group, [group], {}, {"id": 1}, {"id": None}, {"attributeKey": "a"}])
    used = rng.choice(["$savedGroup", "$savedGroup", *GROUP_OPERATORS])
    if used == "$savedGroup":
        condition = {"$savedGroup": reference}
    else:
        condition = {"a": {used: rng.choice([group, group, group, rng.choice([None, 1, [group], {}])])}}
    condition = rng.choice([condition, condition, {"$or": [condition, {"c": 1}]}, {"$nor": [condition]}])
    attributes = attributes_of(
        a=rng.choice(["1", "a", "b", 1, None, MISSING, ["a", "z"], ["z"], {"a": 1}]),
        b=rng.choice(["x", "y", True, 0, MISSING]),
        d={"e": "a"},
    )
    return f"{used} {group}", condition, attributes, GROUPS


KINDS = [
    (operators, 8), (lists, 3), (equality, 4), (ordering, 2), (versions, 4), (letter_case, 3),
    (doubles, 2),
    (logic, 5), (paths, 3), (elements, 4), (groups, 4),
]


def groups_used(condition, groups):
    """Returns the groups that a condition refers to, directly or not."""
    names, text = set(), repr(condition)
    while True:
        found = {name for name in groups if f"{name!r}" in text} - names
        if not found:
            return {name: groups[name] for name in groups if name in names}
        names |= found
        text = repr([groups[name] for name in found])


def negated(condition, rng):
    """Returns the negated condition, in one of its spellings."""
    [(key, value), *others] = condition.items()
    if not others and not key.startswith("$") and rng.random() < 0.5:
        return {key: {"$not": value}}
    return rng.choice([{"$not": condition}, {"$nor": [condition]}, {"$not": {"$and": [condition]}}])


def case(rng):
    kinds, weights = zip(*KINDS)
    name, condition, attributes, *groups = rng.choices(kinds, weights)[0](rng)
    if condition and rng.random() < 0.25:
        name, condition = f"not {name}", negated(condition, rng)
    needed = groups_used(condition, groups[0]) if groups else {}
    return [name, condition, attributes, None, *([needed] if needed else [])]
