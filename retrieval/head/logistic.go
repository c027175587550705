package head

import (
	"math"

	"faqbot/retrieval/vector"
)

const (
	penalty   = 1. / 30 // of half the squared weights, on the summed loss (C = 30)
	memory    = 8       // steps that L-BFGS remembers
	manySteps = 30      // at most, up to fewRows
	fewSteps  = 10      // at most, for more: they get as near to the right classes of new questions, in a third of the time
	fewRows   = 400_000 // questions times classes
	enough    = 1e-4    // of the first gradient's length
	curvature = 4.      // classes that a question is torn between, more or less
)

// A Logistic is a multinomial logistic regression without intercepts.
type Logistic struct {
	weights [][]float32 // by class
}

// NewLogistic fits vectors, all of one length, to the classes they belong to.
func NewLogistic(vectors [][]float32, class []int32, classes int) *Logistic {
	f := newFit(vectors, class, classes)
	f.run()
	return &Logistic{weights: rows(f.at, f.dim)}
}

// Probabilities returns each class's, all but closed classes together one. It reuses dst's memory.
// closed may be nil.
func (l *Logistic) Probabilities(dst, v []float32, closed []bool) []float32 {
	dst = append(dst[:0], make([]float32, len(l.weights))...)
	products(dst, [][]float32{v}, l.weights)
	for c := range dst {
		if closed != nil && closed[c] {
			dst[c] = float32(math.Inf(-1))
		}
	}
	if len(dst) > 0 {
		softmax(dst)
	}
	return dst
}

// A fit is a minimisation under way. Points and gradients are flat, class after class.
type fit struct {
	x       [][]float32
	columns [][]float32 // x turned round
	class   []int32
	dim     int
	at      []float32
	loss    float64
	slope   []float32
	logits  []float32
	errors  []float32   // class after class, a row of each: how much too likely it is for each x
	precond [][]float32 // inverse of a bound on the curvature, the same for each class
	moves   [][]float32
	bends   [][]float32
	scratch []float32
}

func newFit(x [][]float32, class []int32, classes int) *fit {
	dim := len(x[0])
	f := &fit{
		x: x, class: class, dim: dim, at: make([]float32, classes*dim), slope: make([]float32, classes*dim),
		logits: make([]float32, len(x)*classes), errors: make([]float32, len(x)*classes), scratch: make([]float32, dim),
	}
	f.columns = turned(x, dim)
	// Böhning's (1992) preconditioner, the second moments of all questions, but not with his bound on
	// their weight: with many classes each weight is bent by few questions. A multiple of an even
	// share gets there soonest.
	bound := moments(x, dim)
	share := curvature / max(float64(classes), 2*curvature)
	for i := range bound {
		bound[i] *= share
	}
	for i := range dim {
		bound[i*dim+i] += penalty
	}
	cholesky(bound, dim)
	f.precond = inverse(bound, dim)
	return f
}

// measure returns the loss at a point and fills slope with its gradient.
//
//go:norace
func (f *fit) measure(at, slope []float32) float64 {
	n := len(at) / f.dim
	products(f.logits, f.x, rows(at, f.dim))
	loss := penalty / 2 * inner(at, at)
	for i := range f.x {
		z := f.logits[i*n : (i+1)*n]
		own := z[f.class[i]]
		loss += softmax(z) - float64(own)
		z[f.class[i]]--
		for c, g := range z {
			f.errors[c*len(f.x)+i] = g
		}
	}
	products(slope, rows(f.errors, len(f.x)), f.columns)
	axpy(slope, penalty, at)
	return loss
}

// run is L-BFGS with backtracking. The loss is convex, so where it starts decides nothing but time.
func (f *fit) run() {
	f.loss = f.measure(f.at, f.slope)
	first := math.Sqrt(inner(f.slope, f.slope))
	next, slope := make([]float32, len(f.at)), make([]float32, len(f.at))
	steps := manySteps
	if len(f.errors) > fewRows {
		steps = fewSteps
	}
	for range steps {
		move := f.direction()
		down := inner(move, f.slope)
		if down >= 0 || math.Sqrt(inner(f.slope, f.slope)) < enough*first {
			return
		}
		loss, length := 0., 1.
		for range 20 {
			copy(next, f.at)
			axpy(next, float32(length), move)
			if loss = f.measure(next, slope); loss <= f.loss+1e-4*length*down {
				break
			}
			length /= 2
		}
		if loss >= f.loss {
			return
		}
		f.remember(next, slope)
		f.at, next = next, f.at
		f.slope, slope = slope, f.slope
		f.loss = loss
	}
}

// remember keeps how the slope changed with the step to next.
//
//go:norace
func (f *fit) remember(next, slope []float32) {
	var move, bend []float32
	if len(f.moves) == memory {
		move, bend = f.moves[0], f.bends[0]
		f.moves, f.bends = append(f.moves[:0], f.moves[1:]...), append(f.bends[:0], f.bends[1:]...)
	} else {
		move, bend = make([]float32, len(next)), make([]float32, len(next))
	}
	for i := range next {
		move[i], bend[i] = next[i]-f.at[i], slope[i]-f.slope[i]
	}
	f.moves, f.bends = append(f.moves, move), append(f.bends, bend)
}

// direction is the two-loop recursion over what is remembered, with the bound on the curvature in
// the place of a multiple of the identity.
//
//go:norace
func (f *fit) direction() []float32 {
	d := make([]float32, len(f.at))
	axpy(d, -1, f.slope)
	share := make([]float64, len(f.moves))
	for i := len(f.moves) - 1; i >= 0; i-- {
		share[i] = inner(f.moves[i], d) / inner(f.moves[i], f.bends[i])
		axpy(d, float32(-share[i]), f.bends[i])
	}
	for _, row := range rows(d, f.dim) {
		vector.Dots(f.scratch, row, f.precond)
		copy(row, f.scratch)
	}
	for i := range f.moves {
		back := inner(f.bends[i], d) / inner(f.moves[i], f.bends[i])
		axpy(d, float32(share[i]-back), f.moves[i])
	}
	return d
}
