"""A case as a question, and what the consulted implementations answer."""

import disputes
from references import CONSULTED, ask, canonical, essence, official

# Where a case's answer is, and how many items it takes.
ANSWERS = {"evalCondition": (3, 1), "feature": (3, 1), "run": (3, 3), "stickyBucket": (4, 2)}


class Question:
    def __init__(self, suite, case):
        self.suite, self.case = suite, case
        self.answers, self.errors = {}, {}

    def hear(self, reference, said):
        if said is None:
            return
        if "error" in said:
            self.errors[reference] = said["error"]
        else:
            self.answers[reference] = official(self.suite, self.case, reference, said["answer"])

    def expected(self):
        """The answer in the case itself."""
        start, length = ANSWERS[self.suite]
        return self.case[start] if length == 1 else self.case[start : start + length]

    def answered(self, answer):
        """The case with an answer in its place."""
        start, length = ANSWERS[self.suite]
        items = [answer] if length == 1 else answer
        return [*self.case[:start], *items, *self.case[start + length :]]

    def agreed_answer(self):
        """What two or more answer, all the same; otherwise None. Of url patterns only JavaScript
        knows. Where everybody may stray, agreement is a coincidence."""
        enough = 1 if disputes.has_url_patterns(self.suite, self.case) else 2
        if self.errors or len(self.answers) < enough or not self.agree(self.answers):
            return None
        if disputes.is_doubtful(self.suite, self.case):
            return None
        if set(self.answers) <= disputes.strayed(disputes.showing(self)):
            return None
        return self.preferred(self.answers)

    def agree(self, answers):
        """Whether some of the answers are the same, as far as each reports."""
        complete = [answer for name, answer in answers.items() if name != "rust"]
        return same(complete) and same([essence(self.suite, answer) for answer in answers.values()])

    def differing_from(self, answers):
        """Who answered otherwise, or not at all."""
        others = {name for name in self.answers if not self.agree({**answers, name: self.answers[name]})}
        return others | set(self.errors)

    def preferred(self, answers):
        """The most detailed of equal answers. Python keeps every digit of a value; Rust reports
        only a part of what features and sticky buckets give."""
        usable = ["python"]
        if not disputes.loses_digits(self.case):
            usable.append("javascript")
        if self.suite in ("evalCondition", "run"):
            usable.append("rust")
        return next((answers[name] for name in usable if name in answers), None)


def same(values):
    return len({canonical(value) for value in values}) <= 1


def asked(suites):
    """The questions of some suites, with the answers of all who are consulted."""
    questions = {suite: [Question(suite, case) for case in cases] for suite, cases in suites.items()}
    for reference in sorted({name for suite in suites for name in CONSULTED[suite]}):
        put = {suite: cases for suite, cases in suites.items() if reference in CONSULTED[suite]}
        for suite, said in ask(reference, put).items():
            for question, answer in zip(questions[suite], said, strict=True):
                question.hear(reference, answer)
    return [question for suite in questions.values() for question in suite]
