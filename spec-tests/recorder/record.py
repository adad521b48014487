"""Records the corpora in ../corpus from the answers of other implementations.

    record.py [--cases N] [--seed S] [--into FOLDER]    records all corpora
    record.py --patterns [--cases N] [--seed S]         records only the corpora of patterns
    record.py --check CORPUS                            compares the answers with a corpus
    record.py --undecided [--cases N] [--seed S]        prints unexplained differences

A case goes to recorded.json if all answers agree. Otherwise it goes to disputed.json, with the answer
of the implementations that do not deviate (see disputes.py).
"""

import argparse
import collections
import json
from pathlib import Path

import disputes
import generate
import patterns
import remote
import urls
from question import asked
from references import CONSULTED, HERE, ask

CORPUS = HERE.parent / "corpus"
# The number of generated cases of remote evaluation, unless it is given.
REMOTE_CASES = 2300
# The number of them in the corpus.
RECORDED_REMOTE_CASES = 100
# The number of disputed cases to keep for one quirk.
CASES_PER_QUIRK = 12
# One random pattern for so many cases.
RANDOM_PATTERN_SHARE = 10


def write_corpus(folder, name, suites):
    """Writes a corpus, with one case per line."""
    parts = [f'"specVersion": "{generate.SPEC_VERSION}"']
    for suite, cases in suites.items():
        lines = ",\n".join(json.dumps(case) for case in cases)
        parts.append(f'"{suite}": [\n{lines}\n]')
    (folder / name).write_text("{\n" + ",\n".join(parts) + "\n}\n")
    print(f"{name}: {sum(map(len, suites.values()))} cases")


def record(folder, cases, seed):
    recorded, disputed = collections.defaultdict(list), collections.defaultdict(list)
    shown, undecided = collections.defaultdict(list), 0
    for question in asked(generate.questions(cases, seed)):
        answer = question.agreed_answer()
        if answer is not None:
            recorded[question.suite].append(question.answered(answer))
            continue
        answer, quirks = disputes.kept_answer(question)
        if answer is None:
            undecided += 1
        elif any(len(shown[quirk]) < CASES_PER_QUIRK for quirk in quirks):
            disputed[question.suite].append(question.answered(answer))
            for quirk in quirks:
                shown[quirk].append(question.case[0])
    disputed["evalCondition"] += disputes.chosen_cases()
    write_corpus(folder, "recorded.json", recorded)
    write_corpus(folder, "disputed.json", disputed)
    (folder / "disputed.md").write_text(disputes.report(shown))
    print(f"left out, because no quirk explains the difference: {undecided}")


def record_patterns(folder, count, seed):
    for name, cases in patterns.corpora(count, seed).items():
        answers = ask("node", cases)
        answered = [[*case[:3], answer] for case, answer in zip(cases, answers, strict=True)]
        write_corpus(folder, name, {"evalCondition": answered})


def record_urls(folder):
    cases = urls.cases()
    replies = ask("javascript", {"run": cases})["run"]
    answered = [[*case[:3], *reply["answer"]] for case, reply in zip(cases, replies, strict=True)]
    write_corpus(folder, "url.json", {"run": answered})


def record_remote(folder, count, kept, seed):
    """Records the oracle's answers. The corpus has the first cases."""
    cases = [case for case in generate.cases_of("remoteEval", remote.case, count, seed)
             if remote.is_comparable(case)]
    replies = ask("javascript", {"remoteEval": cases})["remoteEval"]
    answered = [[*case[:4], *reply["answer"]] for case, reply in zip(cases, replies, strict=True)
                if "answer" in reply]
    write_corpus(folder, "remote_eval.json", {"remoteEval": answered[:kept]})
    (folder / "remote_eval.md").write_text(remote.report())
    print(f"remote evaluation: {count} generated, {len(cases)} comparable, {len(answered)} answered")


def print_undecided(cases, seed):
    for question in asked(generate.questions(cases, seed)):
        if question.agreed_answer() is None and disputes.kept_answer(question)[0] is None:
            print(question.suite, json.dumps(question.case, ensure_ascii=False))
            for name, answer in {**question.answers, **question.errors}.items():
                print(f"  {name:<10} {json.dumps(answer, ensure_ascii=False)}")


def check(path):
    corpus = json.loads(path.read_text())
    for question in asked({suite: corpus[suite] for suite in CONSULTED if suite in corpus}):
        for reference, answer in question.answers.items():
            if not question.agree({"corpus": question.expected(), reference: answer}):
                print(f"{reference} differs: {question.suite} {question.case[0]!r}")
        for reference, error in question.errors.items():
            print(f"{reference} fails: {question.suite} {question.case[0]!r}: {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    generate.add_arguments(parser)
    parser.add_argument("--into", type=Path, default=CORPUS, metavar="FOLDER")
    parser.add_argument("--check", type=Path, metavar="CORPUS")
    parser.add_argument("--undecided", action="store_true")
    parser.add_argument("--patterns", action="store_true")
    arguments = parser.parse_args()
    if arguments.check:
        check(arguments.check)
    elif arguments.undecided:
        print_undecided(arguments.cases, arguments.seed)
    elif arguments.patterns:
        record_patterns(arguments.into, arguments.cases // RANDOM_PATTERN_SHARE, arguments.seed)
    else:
        record(arguments.into, arguments.cases, arguments.seed)
        record_patterns(arguments.into, arguments.cases // RANDOM_PATTERN_SHARE, arguments.seed)
        record_urls(arguments.into)
        # A search for differences keeps every case.
        kept = RECORDED_REMOTE_CASES if arguments.into == CORPUS else None
        record_remote(arguments.into, REMOTE_CASES, kept, arguments.seed)


if __name__ == "__main__":
    main()
