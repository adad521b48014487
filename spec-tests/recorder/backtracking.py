"""Patterns with look-around or back-references, by hand and at random. Node answers."""

import random

# In the shape of `patterns.PATTERNS`.
PATTERNS = {
    "look-around": [
        ("foo(?=bar)", "foobar", "foobaz"),
        ("foo(?!bar)", "foobaz", "foobar"),
        ("(?<=\\$)\\d+", "$5", "5"),
        ("(?<!\\$)\\b\\d+", "5", "$5"),
        ("^(?=.*\\d)(?=.*[a-z]).{4,}$", "abc1", "abcd", "a1"),
        ("^(?!.*admin).*$", "user", "the admin"),
        ("(?=a)*b", "b", "a"),
        ("(?=a){2}a", "a", "b"),
        ("(?!a){0}a", "a"),
        ("(?<=a)*b", "b"),
        ("(?=(a))\\1", "a", "b"),
        ("(?<=([ab]+)([bc]+))$", "abc", "x"),
        ("(?<=a|bc)d", "ad", "bcd", "cd"),
        ("(?<=^|,)x", "a,x", "x", "ax"),
        ("(?!)", "", "a"),
        ("(?=)", "", "a"),
        ("(?<!a)$", "a", "b", ""),
        ("(?<=😀)a", "😀a", "a"),
        ("(?<=\\ude00)a", "😀a"),
        ("(?=.)^a", "a"),
        ("\\b(?!foo\\b)\\w+", "foo", "food"),
        ("(?<=(?<n>a))b", "ab", "b"),
        ("(?=a", "a"),
        ("(?<=a", "a"),
        ("(?<=\\n)a", "\na", "a"),
    ],
    "back-reference": [
        ("^(a|b)\\1$", "aa", "ab"),
        ("^(.)(.)\\2\\1$", "abba", "abab"),
        ("(?<q>['\"]).*?\\k<q>", "say 'hi'", "say 'hi\""),
        ("^(a)?\\1b$", "b", "aab", "ab"),
        ("\\1(a)", "a", "aa", "b"),
        ("(a\\1)", "a", "aa"),
        ("()\\1", ""),
        ("\\k<n>(?<n>a)", "a"),
        ("(?<n>a)\\k", "ak", "aa"),
        ("(?<n>a)\\k<m>", "aa"),
        ("(?<n>a)\\k<n", "aa"),
        ("(?:(a)|b)*\\1$", "ab", "aba", "baa"),
        ("(\\w+) \\1", "the the", "the then", "a b"),
        ("^(\\w)\\w*\\1$", "abca", "abcd"),
        ("(z)((a+)?(b+)?(c))*\\3", "zaacbbbcac", "zaacbbbcaca"),
        ("^(?:a(?=(b))|\\1c)+", "ab", "c"),
    ],
    "does not contain": [
        ("^(?!.*\\+test@)", "me@x.org", "me+test@x.org", ""),
        ("^(?!.*(?:foo|bar)).+$", "a foo", "a bar", "baz", ""),
        ("^((?!bad).)*$", "good", "a bad one", "", "ba\nd"),
        ("^(?!admin$|root$)\\w+$", "admin", "root", "administrator", "rooted"),
        ("^[\\w.]+@(?!example\\.com$)[\\w.]+$", "a@example.com", "a@example.com.au", "a@x.org"),
        ("^(?=.{8,}$)(?=.*[A-Z])(?=.*\\d)\\S+$", "Passw0rd", "password", "Pass 0rdd", "P0"),
        ("(?<!not )ready$", "ready", "not ready", "nearly ready"),
        ("\\.(?!js$|css$)[a-z]+$", "a.js", "a.css", "a.jsx", "a.html"),
    ],
    "look-ahead": [
        ("a(?=b(?=c(?=d)))", "abcd", "abce", "abc"),
        ("a(?!b(?!c))", "abc", "abd", "a", "b"),
        ("(?!(?!a))a", "a", "b"),
        ("(?!(?=a))b", "a", "b"),
        ("(?=(a+))a*b\\1", "baaabac", "aab", "aabaa"),
        ("(?=(a+))\\1b", "aaab", "aaa", "b"),
        ("^(?=(a*))\\1a", "aaa", "a", ""),
        ("(.*?)a(?!(a+)b\\2c)\\2(.*)", "baaabaac", "aab", "b"),
        ("(?!(a))\\1b", "b", "ab", "aab"),
        ("(?!(a)b)\\1a", "a", "ab", "aa"),
        ("(?=a|ab)ab", "ab", "a", "b"),
        ("(?=a?)b", "b", "ab", "a"),
        ("(?=a)+a", "a", "b"),
        ("(?=a)?b", "b", "a"),
        ("(?=a){0}b", "b", "a"),
        ("(?!a)*a", "a", "b", ""),
        ("(?=(a)|b)*\\1c", "c", "ac", "bc"),
        ("^(?:(?=(a))a|b)+\\1$", "aba", "ab", "b", "aa"),
        ("(?:(?=(\\w))\\1)+$", "abc", "", "-"),
        ("(?=$)", "", "a"),
        ("a(?=\\n)", "a\n", "a"),
        ("^(?=[^])", "\n", ""),
        ("(?=.)", "\n", "\r", "a", "\u2028"),
        ("(?=\\b)a", "a", "ba", " a"),
        ("(?!\\B)a", "a", "ba", " a"),
    ],
    "look-behind": [
        ("(?<=\\w{2,3})-", "a-", "ab-", "abcd-", "-"),
        ("(?<=a.*)b", "a--b", "ba", "xb", "a\nb"),
        ("(?<!a.*)b", "a--b", "ba", "xb"),
        ("(?<=^a+)b", "aab", "xab", "b"),
        ("(?<=(?<!a)b)c", "bc", "abc", "bbc"),
        ("(?<=a(?=b).)c", "abc", "axc"),
        ("(?<=a(?!b).)c", "abc", "axc"),
        ("(?<=(\\d+)(\\d+))$", "1053", "1", "a"),
        ("(?<=(\\d+)(\\d+))\\2\\1x", "105353x", "10533105x", "1053105x", "12x"),
        ("(?<=(\\d+)(\\d+))-\\1", "105-1", "105-10", "105-105", "105-5"),
        ("(?<=\\1(a))b", "aab", "ab", "b"),
        ("(?<=(a)\\1)b", "ab", "aab", "b"),
        ("(?<=\\1([abx]))d", "abxd", "abxxd", "d"),
        ("(?<=(.)\\1)c", "abc", "c", "aac"),
        ("(?<=\\k<n>(?<n>.))c", "aac", "abc", "c"),
        ("(?<=([abc]+)).\\1", "abcdbc", "abcab", "x"),
        ("(?<=(\\w){3})f", "abcdef", "abf", "f"),
        ("(?<=(\\w)+)f\\1", "abcfa", "abcfc", "af"),
        ("(?<=(?:\\1b)(aa))c", "aabaac", "baac", "aac"),
        ("(?<=a|b|c*)[^a-c]{3}$", "abcdef", "abc", "xyz"),
        ("(?<=a*?)b", "aab", "b", "a"),
        ("(?<=a??b)c", "bc", "abc", "c"),
        ("(?<=(a|ab)(c|bcd))$", "abcd", "abc", "acd"),
        ("(?<=^(\\w+))def\\1", "abcdefabc", "abcdefab", "def"),
        ("(?<=\\b)a", "a", "ba", " a"),
        ("(?<=\\B)a", "a", "ba", " a"),
        ("(?<=$)", "", "a"),
        ("(?<=a$)", "a", "ab", ""),
        ("(?<=^)a", "a", "ba"),
        ("(?<!^)a", "a", "ba"),
        ("(?<=[^])a", "\na", "a"),
        ("(?<=.)a", "\na", "\u2029a", "ba"),
        ("(?<=)a", "a", "b"),
        ("(?<!)a", "a", ""),
        ("(?<=a){2}b", "ab"),
        ("(?<!a)+b", "b"),
        ("(?:(?<=a)b|c)+d", "abd", "abcd", "bd", "cbd"),
    ],
    "reference": [
        ("^(?:(a)|(b))\\1\\2$", "aa", "bb", "ab", "a", "b"),
        ("^(?:(a)|(b))+\\1\\2$", "ab", "abb", "aba", "baa", "ba"),
        ("^(?:(a)|b)*\\1c$", "abc", "aac", "aaac", "abac", "c"),
        ("^(?:(a)?b)+\\1c$", "abbc", "abac", "ababac", "bc"),
        ("^((a)|b)*?\\2c$", "abc", "aac", "bac"),
        ("^(a\\1b)+$", "ab", "abab", "aabb"),
        ("^(?:\\1(a)|b)+$", "ab", "aab", "baa", ""),
        ("^(a|\\1b)+$", "ab", "aab", "b", "aaabb"),
        ("\\2(a)(b)", "ab", "bab", "b"),
        ("(?:\\2b|(a)(a))+$", "aab", "aaab", "b"),
        ("\\k<b>(?<a>x)(?<b>y)\\k<a>", "xyx", "xyy", "xy"),
        ("^(?<a>.)(?<b>.)\\k<b>\\k<a>$", "abba", "abab", "aaaa"),
        ("^(a*)*\\1$", "", "a", "aa", "b"),
        ("^(a*)+\\1b$", "b", "ab", "aab"),
        ("^(a?)*?\\1$", "", "a", "aaa"),
        ("^(?:(a)|(b)|(c))+\\1$", "abc", "abca", "cba", "cbaa"),
        ("^(.+?)\\1+$", "abab", "ababa", "aaaa", "a"),
        ("^(.*)\\1$", "abab", "aba", ""),
        ("^(1+?)(?!\\1)", "11", "12", "2"),
        ("^1?$|^(11+?)\\1+$", "1", "11", "1111", "11111", "111111"),
        ("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10", "abcdefghijj", "abcdefghija0"),
        ("(a)\\1{2}", "aaa", "aa"),
        ("(a)\\1*b", "ab", "aaab", "b"),
        ("(a)\\1*?$", "a", "aaa", "ab"),
        ("^(a|ab)(c|bcd)\\2?$", "abcd", "abcbcd", "acc", "abcc"),
        ("^([ab]{1,2}){2}\\1$", "aba", "abab", "aabb", "abb"),
        ("^(?:(x)|(y)){2}\\1\\2$", "xyy", "xyx", "yxx", "xy"),
        ("(?:(a)|()b)+\\2\\1$", "aba", "ab", "ba"),
        ("^(?:a|(?:(b)|c)+)+\\1$", "abb", "bca", "acbb", "bcb"),
        ("(\\b|a)\\1b", "b", "aab", "cb"),
        ("^(\\d)\\1{2,}$", "111", "11", "112"),
    ],
    "loop": [
        ("(?=(a*)*b)", "aab", "aa"),
        ("(?=(?:a?)*?$)", "aa", "b"),
        ("(?=(?:a*?)*b)", "aab", "c"),
        ("(?:(?=a)|b)*a", "ba", "bb", "a"),
        ("(?:(?!a)|b)+a", "ba", "a", "ca"),
        ("^(?:(?=a)a|(?=b)b)*$", "abab", "abc", ""),
        ("^(?:(?=(a))|b){2,3}\\1$", "ba", "bba", "a", "b"),
        ("^(?=(?:ab){2,3}$)", "abab", "ab", "ababab", "abababab"),
        ("^(?=(?:ab){2,3}?c)", "ababc", "abc", "abababc", "ababababc"),
        ("^(?=a{2,3}?$)", "a", "aa", "aaa", "aaaa"),
        ("^(?=(?:a{1,2}){2}$)", "aa", "aaaa", "aaaaa", "a"),
        ("^(?=(?:(?:a|b){2}c)*$)", "abcbac", "abc", "ac", ""),
        ("(?=(?:){3}a)", "a", "b"),
        ("(?=(?:|a)+$)", "a", "aa", "b"),
        ("^(?:(?:)|(a))+\\1$", "a", "aa", ""),
        ("^(?:(a)|(?:))+\\1$", "a", "aa", ""),
        ("(?=(?:a+)+$)b", "aaaaaaaa", "b"),
    ],
    "unit": [
        ("(?=😀).", "😀", "a"),
        ("^(?=..$)", "😀", "a", "ab"),
        ("(?<=^.)\\ude00", "😀", "a"),
        ("(?<!\\ud83d)\\ude00", "😀", "a"),
        ("(?<=[😀])a", "😀a", "a"),
        ("(?<=[^a])\\ude00$", "😀"),
        ("^(.)(?!\\1)(.)$", "😀", "aa", "ab"),
        ("^(..)\\1$", "😀😀", "😀😁", "abab"),
        ("(.)\\1", "😀😀", "aa", "éé"),
        ("^(\\ud83d).\\1", "😀😀", "😀a"),
        ("(?=\\w)é", "é", "a"),
        ("(?=\\W)é", "é", "a"),
        ("(?<=\\b)é", "é", "aé"),
        ("(?<=é\\B)$", "é", "éa"),
        ("(?!\\s)\\u2028", "\u2028"),
        ("(?=\\s)[^ ]", "\ufeff", "\u00a0", " ", "a"),
    ],
}
IGNORE_CASE = {
    "back-reference": [("^(a)\\1$", "aA", "ab"), ("^(ſ)\\1$", "ſs", "ſſ"), ("(σ)\\1", "σς", "σs")],
    "look-around": [("(?=A)a", "a", "b"), ("(?<=K)x", "kx", "\u212ax", "x")],
    "reference and look-around": [
        ("^(?!.*TEST)", "a test", "a Test", "tes"),
        ("(?<=É)x", "éx", "Éx", "ex"),
        ("(?<!σ)x", "ςx", "Σx", "ax"),
        ("^(.)\\1$", "aA", "éÉ", "σς", "ßẞ", "kK", "k\u212a", "sſ", "µμ", "ab", "ǆǅ", "iİ", "ıI"),
        ("^(?<n>[a-z]+)-\\k<n>$", "Ab-aB", "ab-ac", "AB-ab"),
        ("^(..)\\1$", "𐐀𐐨", "𐐀𐐀", "abAB"),
        ("(?<=\\1(a))b", "AaB", "ab", "b"),
        ("(?=[^a])\\w", "A", "b", "aB"),
        ("(?=[Z-a])_", "_", "b"),
        ("(?<=\\w)$", "ſ", "\u212a", "A"),
        ("^(?:(a)|b)*\\1$", "AbA", "bAa", "aB"),
        ("(?!ss)ß", "ß", "SS"),
    ],
}

# The parts of random patterns, and the characters of random texts. They are few, so that many
# patterns match.
ATOMS = ["a", "b", "c", ".", "[ab]", "[^a]", "\\w", "\\W", "[^]", "é", "\\ud83d", "A"]
ASSERTIONS = ["^", "$", "\\b", "\\B"]
LOOKS = ["?=", "?!", "?<=", "?<!"]
QUANTIFIERS = ["*", "+", "?", "{2}", "{1,2}", "{0,2}", "{2,}", "{0}"]
CHARACTERS = ["a", "a", "a", "b", "b", "c", "A", "-", "\n", "é", "É", "😀"]
TEXTS_PER_PATTERN = 3


class RandomPattern:
    """Writes one random pattern."""

    def __init__(self, source):
        self.random = source
        self.names = source.random() < 0.2
        self.group_count = source.randint(1, 4)
        self.groups = 0

    def text(self):
        while True:
            self.groups = 0
            body = self.alternatives(3)
            # References need their groups.
            body += "".join(self.group("a") for _ in range(self.groups, self.group_count))
            if "?=" in body or "?!" in body or "?<" in body or "\\k" in body or "\\1" in body:
                return body

    def group(self, body):
        self.groups += 1
        return f"(?<n{self.groups}>{body})?" if self.names else f"({body})?"

    def alternatives(self, depth):
        return "|".join(self.sequence(depth) for _ in range(self.random.choice([1, 1, 1, 2, 3])))

    def sequence(self, depth):
        return "".join(self.term(depth) for _ in range(self.random.choice([0, 1, 1, 2, 2, 3])))

    def term(self, depth):
        roll = self.random.random()
        if roll < 0.1:
            return self.random.choice(ASSERTIONS)
        if depth and roll < 0.3:
            return self.look_around(depth)
        return self.atom(depth, roll) + self.quantifier()

    def look_around(self, depth):
        kind = self.random.choice(LOOKS)
        content = f"({kind}{self.alternatives(depth - 1)})"
        # A look-behind must not be repeated.
        return content if "<" in kind or self.random.random() < 0.8 else content + self.quantifier()

    def atom(self, depth, roll):
        if depth and roll < 0.5 and self.groups < self.group_count:
            self.groups += 1
            name = f"?<n{self.groups}>" if self.names else ""
            return f"({name}{self.alternatives(depth - 1)})"
        if depth and roll < 0.58:
            return f"(?:{self.alternatives(depth - 1)})"
        if roll < 0.72:
            number = self.random.randint(1, self.group_count)
            return f"\\k<n{number}>" if self.names else f"\\{number}"
        return self.random.choice(ATOMS)

    def quantifier(self):
        if self.random.random() < 0.55:
            return ""
        return self.random.choice(QUANTIFIERS) + self.random.choice(["", "", "?"])


def random_text(source):
    return "".join(source.choices(CHARACTERS, k=source.randint(0, 8)))


def random_cases(count, seed):
    """Returns cases on `count` random patterns."""
    cases = []
    for index in range(count):
        source = random.Random(f"{seed}/backtracking/{index}")
        pattern = RandomPattern(source).text()
        operator = source.choice(["$regex", "$regex", "$regexi"])
        for _ in range(TEXTS_PER_PATTERN):
            text = random_text(source)
            name = f"{operator} random #{index}: {pattern!a} on {text!a}"
            cases.append([name, {"text": {operator: pattern}}, {"text": text}])
    return cases
