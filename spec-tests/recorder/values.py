"""The values in generated cases."""

MISSING = object()

NUMBERS = [
    0, -0.0, 1, 2, 3, -1, 10, 0.1, 0.5, 1.5, 1e21, 1e-7, -1e21, 1e300, 5e-324,
    123456789012345680000, 9007199254740992, 9007199254740993, 2**63, 0.30000000000000004,
]
# They include two sigmas, a dotted capital I, a sharp s, a ligature and combining marks. The order of
# the last characters differs between UTF-16 units and code points.
STRINGS = [
    "", "a", "b", "A", "abc", "ABC", "1", "0", "-0", "10", "9", "true", "null", " ", "a b", "a\nb",
    "é", "É", "e\u0301", "ß", "ẞ", "ss", "SS", "İ", "i\u0307", "i", "I", "ı", "σ", "ς", "Σ",
    "οδος", "οδοσ", "ΟΔΟΣ", "\u212a", "k", "ﬁ", "FI", "\ue000", "\uffee", "😀", "𝒳", "a😀",
]
LITERALS = [None, True, False]
ARRAYS = [
    [], [1], [1, 2], [2, 1], ["a"], ["A", "b"], [None], [True], [0], [""], [[1]], [["a"]], [{}],
    [{"a": 1}], [1, "1"], ["a", None, 2], [0, False, ""], ["ΟΔΟΣ"], [1.0, 2], [[], {}],
]
OBJECTS = [
    {}, {"a": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"10": 1, "9": 2}, {"9": 2, "10": 1},
    {"a": {"b": [1]}}, {"length": 2}, {"0": "a"}, {"": 1}, {"a": None}, {"x": {"b": 1, "a": 2}},
]
VERSIONS = [
    "1.2.3", "v1.2.3", "1.2.3-rc.1", "1.2.3-rc.1+build", "1.2.3+build", "1.2", "1", "", "0", "v",
    "1.10.0", "1.9.0", "1.2.3-alpha", "1.2.3-alpha.beta", "1.2.3-10", "1.2.3-9", "1.2.3.4",
    "01.02.03", "123456.0.0", "12345.0.0", "1..3", "1.2.3-", "vv1.2.3", "V1.2.3", "1.2.x", "a.b.c",
    "1.2.3+a\nb", "１.2.3", "1.²", 1, 1.2, 1.20, 0, 10, 1e21, 1e-7, -1, None, True, ["1.2.3"], {},
]
# Users. Some of them cannot be hashed.
USERS = [
    "1", "2", "3", "123", "user-17", "user-42", "0", " ", "", "renée", "e\u0301", "😀", "テスト",
    0, -0.0, 1, 2, 1.0, 1.5, -3, 0.1, 1e21, 1e-7, 9007199254740993, 2**63, 123456789012345680000,
    True, False, None, [], ["1"], {}, {"a": "1"}, MISSING,
]
PLAIN_USERS = ["1", "2", "3", "4", "5", "6", "123", "user-17", "user-42", 7, 42]


def any_value(rng):
    """Returns a value of any JSON type. All types are equally likely."""
    return rng.choice(rng.choice([NUMBERS, STRINGS, LITERALS, ARRAYS, OBJECTS]))


def type_name(value):
    if value is MISSING:
        return "missing"
    if value is None:
        return "null"
    names = {bool: "boolean", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "number")


def attributes_of(**values):
    """Returns the attributes, without the missing ones."""
    return {name: value for name, value in values.items() if value is not MISSING}


def reordered(value, rng):
    """Returns the same value, with the members of its objects in another order."""
    if isinstance(value, list):
        return [reordered(item, rng) for item in value]
    if isinstance(value, dict):
        members = [(key, reordered(item, rng)) for key, item in value.items()]
        rng.shuffle(members)
        return dict(members)
    return value


def lookalike(value, rng):
    """Returns another value that a careless comparison would call equal."""
    if value is None:
        return rng.choice(["", 0, False, "null"])
    if isinstance(value, bool):
        return rng.choice([int(value), str(value).lower()])
    if isinstance(value, str):
        return rng.choice([f"{value} ", [value], value.upper(), 1])
    if isinstance(value, list):
        return rng.choice([value[0] if value else None, len(value), "1"])
    if isinstance(value, dict):
        return rng.choice([reordered(value, rng), [value], list(value)])
    return rng.choice([str(value), [value], True, float(value)])


def related(value, rng):
    """Returns the value itself, a similar value, or any value. A missing value counts as null."""
    if value is MISSING:
        value = None
    return rng.choice([value, value, value, lookalike(value, rng), any_value(rng)])


def fnv1a(text):
    """Returns the 32-bit FNV-1a hash of the UTF-16 code units."""
    units = text.encode("utf-16-le")
    state = 0x811C9DC5
    for index in range(0, len(units), 2):
        state = ((state ^ int.from_bytes(units[index : index + 2], "little")) * 0x01000193) % 2**32
    return state


def bucket(seed, user, version):
    """Returns a user's bucket in [0, 1), to build ranges that end exactly there."""
    if version == 2:
        return fnv1a(str(fnv1a(seed + user))) % 10000 / 10000
    return fnv1a(user + seed) % 1000 / 1000
