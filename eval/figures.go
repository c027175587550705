package eval

// A named is a figure as tables and files call it.
type named struct {
	name string
	of   Figure
	low  bool // the lower the better
}

// figures are those of every set.
func figures() []named {
	return []named{
		{name: "acc", of: Accuracy}, {name: "r@3", of: Recall(3)}, {name: "MRR", of: MRR()}, {name: "nDCG@10", of: NDCG()}, {name: "MAP", of: MAP()},
		{name: "AUROC", of: AUROC}, {name: "FPR95", of: FPR95, low: true}, {name: "AUPR", of: AUPR},
		{name: "AURC", of: AURC, low: true}, {name: "excess AURC", of: ExcessAURC, low: true},
		{name: "joint", of: Joint}, {name: "hindsight", of: Hindsight}, {name: "ECE", of: ECE, low: true},
		{name: "coverage", of: Coverage()}, {name: "selective acc", of: SelectiveAccuracy()}, {name: "menu hit", of: MenuHit()}, {name: "utility", of: Utility()},
		{name: "right", of: AnswersRight()}, {name: "menu right", of: MenusRight()}, {name: "wasted", of: Wasted(), low: true}, {name: "wrong", of: AnswersWrong(), low: true}, {name: "net", of: Net()},
		{name: figureReached, of: Reached()}, {name: figureOveranswered, of: Overanswered(), low: true},
	}
}

// kindFigures are those of each kind of question out of scope, against all that are in scope.
func kindFigures() []named {
	return []named{{name: "AUROC", of: AUROC}, {name: "FPR95", of: FPR95}, {name: "AUPR", of: AUPR}, {name: figureOveranswered, of: Overanswered()}}
}
