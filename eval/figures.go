package eval

// A Named is a figure as tables and files call it.
type Named struct {
	Name string
	Of   Figure
	Low  bool // the lower the better
}

// Figures are those of every set.
func Figures() []Named {
	return []Named{
		{Name: "acc", Of: Accuracy}, {Name: "r@3", Of: Recall(3)}, {Name: "MRR", Of: MRR()}, {Name: "nDCG@10", Of: NDCG()}, {Name: "MAP", Of: MAP()},
		{Name: "AUROC", Of: AUROC}, {Name: "FPR95", Of: FPR95, Low: true}, {Name: "AUPR", Of: AUPR},
		{Name: "AURC", Of: AURC, Low: true}, {Name: "excess AURC", Of: ExcessAURC, Low: true},
		{Name: "joint", Of: Joint}, {Name: "hindsight", Of: Hindsight}, {Name: "ECE", Of: ECE, Low: true},
		{Name: "coverage", Of: Coverage()}, {Name: "selective acc", Of: SelectiveAccuracy()}, {Name: "menu hit", Of: MenuHit()}, {Name: "utility", Of: Utility()},
		{Name: "right", Of: AnswersRight()}, {Name: "menu right", Of: MenusRight()}, {Name: "wasted", Of: Wasted(), Low: true}, {Name: "wrong", Of: AnswersWrong(), Low: true}, {Name: "net", Of: Net()},
		{Name: figureReached, Of: Reached()}, {Name: figureOveranswered, Of: Overanswered(), Low: true},
	}
}

// kindFigures are those of each kind of question out of scope, against all that are in scope.
func kindFigures() []Named {
	return []Named{{Name: "AUROC", Of: AUROC}, {Name: "FPR95", Of: FPR95}, {Name: "AUPR", Of: AUPR}, {Name: figureOveranswered, Of: Overanswered()}}
}
