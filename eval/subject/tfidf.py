#!/usr/bin/env python3
"""The nearest wording by TF-IDF over letter n-grams, as a subject of faqbot eval run:

    faqbot eval run SUITE --faq faq.jsonl --command "python3 eval/subject/tfidf.py faq.jsonl"

It reads {"id","text"} and writes {"id","action","entry","ranked"}, a JSON object a line. It is an example of what a
program must do to be measured, and the floor that any engine should be above. Python alone is enough.
"""
import collections
import json
import math
import re
import sys

ANSWER_AT = 0.5  # a similarity from which the nearest entry is given as the answer


def grams(text):
    """The n-grams of two to four letters, within words."""
    for word in re.findall(r"\w+", text.lower()):
        word = f" {word} "
        for n in (2, 3, 4):
            for i in range(len(word) - n + 1):
                yield word[i : i + n]


def vector(text, idf):
    counts = collections.Counter(g for g in grams(text) if g in idf)
    weights = {g: (1 + math.log(n)) * idf[g] for g, n in counts.items()}
    length = math.sqrt(sum(w * w for w in weights.values())) or 1
    return {g: w / length for g, w in weights.items()}


def main(path):
    wordings = []  # (entry, text)
    for line in open(path, encoding="utf-8"):
        if line.strip():
            entry = json.loads(line)
            wordings += [(entry["id"], text) for text in [entry["question"], *entry.get("variants", [])]]
    seen = collections.Counter(g for _, text in wordings for g in set(grams(text)))
    idf = {g: 1 + math.log((1 + len(wordings)) / (1 + n)) for g, n in seen.items()}
    index = collections.defaultdict(list)  # gram: [(wording, weight)]
    for i, (_, text) in enumerate(wordings):
        for g, w in vector(text, idf).items():
            index[g].append((i, w))
    for line in sys.stdin:
        question = json.loads(line)
        similarity = collections.Counter()
        for g, w in vector(question["text"], idf).items():
            for i, weight in index[g]:
                similarity[i] += w * weight
        best = {}
        for i, s in similarity.items():
            entry = wordings[i][0]
            best[entry] = max(best.get(entry, 0), s)
        ranked = sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
        reply = {"id": question["id"], "action": "clarify", "ranked": [{"entry": e, "probability": round(s, 6)} for e, s in ranked]}
        if ranked and ranked[0][1] >= ANSWER_AT:
            reply.update(action="answer", entry=ranked[0][0])
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
