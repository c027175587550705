#!/usr/bin/env python3
"""Figures of random results by scikit-learn, ranx and numpy: what TestFiguresAgainstOthers compares ours with.

    python3 -m venv v && v/bin/pip install scikit-learn ranx
    v/bin/python eval/testdata/reference.py > eval/testdata/reference.json
"""
import json
import random

import numpy as np
from ranx import Qrels, Run, evaluate
from sklearn.metrics import accuracy_score, average_precision_score, roc_auc_score, roc_curve

random.seed(20)
LETTERS = "abcdefghijkl"


def results(n, tied):
    rows = []
    for _ in range(n):
        relevant = random.sample(LETTERS, random.choice([0, 1, 1, 1, 2, 3]))
        ranked = random.sample(LETTERS, 10)
        if relevant and random.random() < 0.6:  # better than chance
            ranked = [relevant[0]] + [e for e in ranked if e != relevant[0]][:9]
        p = random.random() ** (0.5 if relevant else 1.5)
        p = round(p, 1) if tied else p
        rows.append({"relevant": "".join(relevant), "ranked": "".join(ranked), "probability": p})
    return rows


def figures(rows, tied):
    inside = np.array([bool(r["relevant"]) for r in rows])
    confidence = np.array([r["probability"] for r in rows])
    right = np.array([r["ranked"][0] in r["relevant"] for r in rows])
    fpr, tpr, _ = roc_curve(inside, confidence, drop_intermediate=False)
    out = {
        "acc": accuracy_score(np.ones(inside.sum()), right[inside]),
        "AUROC": roc_auc_score(inside, confidence),
        "AUPR": average_precision_score(~inside, -confidence),
        "FPR95": fpr[np.argmax(tpr >= 0.95)],
    }
    qrels = Qrels({str(i): {e: 1 for e in r["relevant"]} for i, r in enumerate(rows) if r["relevant"]})
    run = Run({str(i): {e: 10 - k for k, e in enumerate(r["ranked"])} for i, r in enumerate(rows) if r["relevant"]})
    for ours, theirs in {"r@3": "hit_rate@3", "MRR": "mrr@10", "nDCG@10": "ndcg@10", "MAP": "map@10"}.items():
        out[ours] = evaluate(qrels, run, theirs)
    if not tied:  # ties are spread in a way of our own
        falling = np.argsort(-confidence)
        wrong = ~right[falling]
        n = len(rows)
        out["AURC"] = np.mean(np.cumsum(wrong) / np.arange(1, n + 1))
        ideal = np.sort(wrong)  # an oracle is least sure of what is wrong
        out["excess AURC"] = out["AURC"] - np.mean(np.cumsum(ideal) / np.arange(1, n + 1))
        bins = np.array_split(falling, 10)  # n is a multiple of ten
        out["ECE"] = np.mean([abs(confidence[b].mean() - right[b].mean()) for b in bins])
    return {name: float(v) for name, v in out.items()}


samples = []
for k in range(24):
    tied = k % 2 == 0
    rows = results(random.randrange(30, 90, 10), tied)
    samples.append({"results": rows, "figures": figures(rows, tied)})
print("[" + ",\n".join(json.dumps(s, separators=(",", ":")) for s in samples) + "]")
