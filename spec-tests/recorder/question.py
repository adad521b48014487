"""A case as a question, with the answers of the consulted implementations."""

import disputes
from references import CONSULTED, ask, canonical, essence, official

# The index of a case's answer, and its number of items.
ANSWERS = {"evalCondition": (3, 1), "feature": (3, 1), "run": (3, 3), "stickyBucket": (4, 2)}


class Question:
    def __init__(self, suite, case):
        self.suite, self.case = suite, case
        self.answers, self.errors = {}, {}

    def add(self, reference, reply):
        if reply is None:
            return
        if "error" in reply:
            self.errors[reference] = reply["error"]
        else:
            self.answers[reference] = official(self.suite, self.case, reference, reply["answer"])

    def expected(self):
        """Returns the answer in the case itself."""
        start, length = ANSWERS[self.suite]
        return self.case[start] if length == 1 else self.case[start : start + length]

    def answered(self, answer):
        """Returns the case with this answer."""
        start, length = ANSWERS[self.suite]
        items = [answer] if length == 1 else answer
        return [*self.case[:start], *items, *self.case[start + length :]]

    def agreed_answer(self):
        """Returns the answer if two or more implementations give it, and no other differs. Otherwise
        returns None. One answer is enough for url patterns, because only JavaScript supports them.
        If every implementation may deviate, their agreement does not count."""
        enough = 1 if disputes.has_url_patterns(self.suite, self.case) else 2
        if self.errors or len(self.answers) < enough or not self.agree(self.answers):
            return None
        if disputes.is_doubtful(self.suite, self.case):
            return None
        if set(self.answers) <= disputes.deviating(disputes.showing(self)):
            return None
        return self.preferred(self.answers)

    def agree(self, answers):
        """Whether these answers are the same, in the members that each implementation reports."""
        complete = [answer for name, answer in answers.items() if name != "rust"]
        return same(complete) and same([essence(self.suite, answer) for answer in answers.values()])

    def differing_from(self, answers):
        """Returns the implementations with another answer or with an error."""
        others = {name for name in self.answers if not self.agree({**answers, name: self.answers[name]})}
        return others | set(self.errors)

    def preferred(self, answers):
        """Returns the most detailed of equal answers. Python keeps every digit of a value. Rust
        reports only some members of the results of features and sticky buckets."""
        usable = ["python"]
        if not disputes.loses_digits(self.case):
            usable.append("javascript")
        if self.suite in ("evalCondition", "run"):
            usable.append("rust")
        return next((answers[name] for name in usable if name in answers), None)


def same(values):
    return len({canonical(value) for value in values}) <= 1


def asked(suites):
    """Returns the questions of these suites, with the answers of all consulted implementations."""
    questions = {suite: [Question(suite, case) for case in cases] for suite, cases in suites.items()}
    for reference in sorted({name for suite in suites for name in CONSULTED[suite]}):
        selected = {suite: cases for suite, cases in suites.items() if reference in CONSULTED[suite]}
        for suite, replies in ask(reference, selected).items():
            for question, reply in zip(questions[suite], replies, strict=True):
                question.add(reference, reply)
    return [question for suite in questions.values() for question in suite]
