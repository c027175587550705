package eval

import "math"

// Kappa is Cohen's kappa of two labellers of the same things: how much more often they agree than they would by chance,
// as a share of how much more they could. NaN if chance alone would make them agree always.
func Kappa(first, second []string) Measured {
	return Measured{Name: "kappa", Value: kappaOf(first, second, nil), Interval: bootstrap(len(first), nil, func(times []int) float64 { return kappaOf(first, second, times) })}
}

// Agreement is the share of things to which both gave the same label.
func Agreement(first, second []string) Measured {
	of := func(times []int) float64 {
		same, total := 0.0, 0.0
		for i := range first {
			total += float64(timesOf(times, i))
			if first[i] == second[i] {
				same += float64(timesOf(times, i))
			}
		}
		return ratio(same, total)
	}
	return Measured{Name: "agreement", Value: of(nil), Interval: bootstrap(len(first), nil, of)}
}

func timesOf(times []int, i int) int {
	if times == nil {
		return 1
	}
	return times[i]
}

func kappaOf(first, second []string, times []int) float64 {
	byFirst, bySecond := map[string]float64{}, map[string]float64{}
	same, total := 0.0, 0.0
	for i := range first {
		n := float64(timesOf(times, i))
		total += n
		byFirst[first[i]] += n
		bySecond[second[i]] += n
		if first[i] == second[i] {
			same += n
		}
	}
	chance := 0.0
	for label, n := range byFirst {
		chance += n * bySecond[label]
	}
	if total == 0 || total*total == chance {
		return math.NaN()
	}
	return (same*total - chance) / (total*total - chance)
}
