package main

import (
	"context"
	"fmt"

	"faqbot/eval"
)

// evalAblateCommand measures what parts of the engine are worth.
type evalAblateCommand struct {
	Data []string `arg:"" help:"Folders of sets, as for eval quality." type:"existingdir"`
}

func (cmd evalAblateCommand) Run(ctx context.Context, term terminal) error {
	vectors, _, err := newVectors()
	if err != nil {
		return err
	}
	list, err := eval.Ablate(ctx, cmd.Data, vectors, func(what string) { fmt.Fprintf(term.err, "asking %s\n", what) })
	if err != nil {
		return err
	}
	return eval.PrintAblations(term.out, list)
}
