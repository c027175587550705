package eval

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"faqbot/knowledge/language"
)

const (
	languageRounds = 8
	ownWord        = 12.0 // how much a word of our own lists counts; one of the others has its number beside it
	languageMass   = 3000 // what the words of each language count together
	maxWordWeight  = 8.0  // in one step
	languageStep   = .5
	languageDecay  = 1e-6
)

// A knownWord is a word of a language, and how much it counts.
type knownWord struct {
	features []int
	word     string
	weight   float64
	language int
}

// FitLanguages fits the weights of language.Detector to the lists of words in folder, and returns them as the package
// embeds them: stochastic gradient descent on a multinomial logistic regression, a step's length by how often the
// bucket was seen before (Adagrad).
func FitLanguages(folder string) ([]byte, error) {
	languages, words, err := readLanguages(folder)
	if err != nil {
		return nil, err
	}
	n := len(languages)
	weights, seen, chance := make([]float64, language.Buckets*n), make([]float64, language.Buckets), make([]float64, n)
	random := rand.New(rand.NewPCG(1, 2))
	for range languageRounds {
		random.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		for _, w := range words {
			share := 1 / math.Sqrt(float64(len(w.features)))
			guess(chance, weights, w.features, share)
			chance[w.language]--
			weight := min(w.weight, maxWordWeight)
			for _, at := range w.features {
				step := languageStep / math.Sqrt(1+seen[at])
				seen[at] += weight * share * share / 2
				row := weights[at*n : (at+1)*n]
				for k := range row {
					row[k] -= step*weight*share*chance[k] + languageDecay*row[k]
				}
			}
		}
	}
	packed := append([]byte(strings.Join(languages, " ")), '\n')
	for _, w := range weights {
		packed = append(packed, byte(int8(math.Round(max(-1, min(1, w/language.Scale))*math.MaxInt8))))
	}
	return packed, nil
}

// guess writes the probability of each language, given the features of a word.
func guess(chance, weights []float64, features []int, share float64) {
	n := len(chance)
	clear(chance)
	for _, at := range features {
		for k, w := range weights[at*n : (at+1)*n] {
			chance[k] += w * share
		}
	}
	most, sum := slices.Max(chance), 0.0
	for k := range chance {
		chance[k] = math.Exp(chance[k] - most)
		sum += chance[k]
	}
	for k := range chance {
		chance[k] /= sum
	}
}

// readLanguages reads words/LANGUAGE.txt and, where there is one, lists/LANGUAGE.txt.
func readLanguages(folder string) (languages []string, words []knownWord, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "words", "*.txt"))
	if err != nil || len(files) == 0 {
		return nil, nil, fmt.Errorf("no words/*.txt in %s", folder)
	}
	for k, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		counts, err := readCounts(filepath.Join(folder, "lists", name+".txt"))
		if err != nil {
			return nil, nil, err
		}
		own, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, fmt.Errorf("read the words of %s: %w", name, err)
		}
		for _, word := range language.Words(string(own)) {
			counts[word] += ownWord
		}
		sum := 0.0
		for _, count := range counts {
			sum += count
		}
		languages = append(languages, name)
		for word, count := range counts {
			words = append(words, knownWord{language.Features(word), word, count * languageMass / sum, k})
		}
	}
	slices.SortFunc(words, func(a, b knownWord) int {
		return cmp.Or(cmp.Compare(a.language, b.language), cmp.Compare(a.word, b.word))
	})
	return languages, words, nil
}

// readCounts reads a list of words with a number after each. Frequent words count less than in proportion.
func readCounts(file string) (map[string]float64, error) {
	const power = .75
	counts := map[string]float64{}
	data, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return counts, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a list of words: %w", err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		word, number, _ := strings.Cut(lines.Text(), " ")
		count, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if count > 1 {
			count = math.Pow(count, power)
		}
		counts[word] += count
	}
	return counts, nil
}
