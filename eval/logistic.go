package eval

import (
	"errors"
	"math"
)

// logistic fits a logistic regression of y on x by Newton's method, with ridge/2 times the squared
// coefficients, but not the intercept, added to the weighted loss. It returns the intercept, then
// one coefficient for each column. An error means that the columns do not determine them: without a
// ridge, for columns that repeat each other, or that tell y without doubt.
func logistic(x [][]float64, y []bool, weights []float64, ridge float64) ([]float64, error) {
	if len(x) == 0 {
		return nil, errors.New("fit: no rows")
	}
	beta := make([]float64, len(x[0])+1)
	loss := logisticLoss(x, y, weights, ridge, beta)
	for range 100 {
		gradient, hessian := derivatives(x, y, weights, ridge, beta)
		step, ok := solve(hessian, gradient)
		if !ok {
			break
		}
		// Newton's step overshoots where the loss is far from a parabola: halve it until it gains.
		next, better := make([]float64, len(beta)), math.Inf(1)
		for size := 1.0; size > 1e-6 && !(better <= loss); size /= 2 {
			for k := range beta {
				next[k] = beta[k] - size*step[k]
			}
			better = logisticLoss(x, y, weights, ridge, next)
		}
		if !(better <= loss) {
			return beta, nil // as good as rounding allows
		}
		done := loss-better < 1e-12*(1+loss)
		beta, loss = next, better
		if done {
			return beta, nil
		}
	}
	return nil, errors.New("fit: the rows do not determine the coefficients; features repeat each other, or tell right from wrong without doubt")
}

// linear is the log odds of a row.
func linear(beta, row []float64) float64 {
	sum := beta[0]
	for k, v := range row {
		sum += beta[k+1] * v
	}
	return sum
}

func logisticLoss(x [][]float64, y []bool, weights []float64, ridge float64, beta []float64) float64 {
	loss := 0.0
	for i, row := range x {
		odds := linear(beta, row)
		if y[i] {
			odds = -odds
		}
		// log(1+exp(odds)) without overflow
		loss += weights[i] * (math.Max(odds, 0) + math.Log1p(math.Exp(-math.Abs(odds))))
	}
	for _, b := range beta[1:] {
		loss += ridge / 2 * b * b
	}
	return loss
}

func derivatives(x [][]float64, y []bool, weights []float64, ridge float64, beta []float64) (gradient []float64, hessian [][]float64) {
	n := len(beta)
	gradient, hessian = make([]float64, n), make([][]float64, n)
	for k := range hessian {
		hessian[k] = make([]float64, n)
	}
	extended := make([]float64, n)
	extended[0] = 1
	for i, row := range x {
		copy(extended[1:], row)
		p := sigmoid(linear(beta, row))
		off := p
		if y[i] {
			off--
		}
		for k, v := range extended {
			gradient[k] += weights[i] * off * v
			for l, u := range extended[:k+1] {
				hessian[k][l] += weights[i] * p * (1 - p) * v * u
			}
		}
	}
	for k := 1; k < n; k++ {
		gradient[k] += ridge * beta[k]
		hessian[k][k] += ridge
	}
	return gradient, hessian
}

func sigmoid(odds float64) float64 { return 1 / (1 + math.Exp(-odds)) }

// solve returns v with m v = b by Cholesky's decomposition, of whose m the lower half is read and
// overwritten; false if m is not positive definite.
func solve(m [][]float64, b []float64) ([]float64, bool) {
	n := len(b)
	for k := range n {
		before := m[k][k]
		for l := range k + 1 {
			sum := m[k][l]
			for j := range l {
				sum -= m[k][j] * m[l][j]
			}
			if k == l {
				if !(sum > 1e-12*before) {
					return nil, false
				}
				m[k][k] = math.Sqrt(sum)
			} else {
				m[k][l] = sum / m[l][l]
			}
		}
	}
	v := make([]float64, n)
	for k := range n {
		sum := b[k]
		for j := range k {
			sum -= m[k][j] * v[j]
		}
		v[k] = sum / m[k][k]
	}
	for k := n - 1; k >= 0; k-- {
		sum := v[k]
		for j := k + 1; j < n; j++ {
			sum -= m[j][k] * v[j]
		}
		v[k] = sum / m[k][k]
	}
	return v, true
}
