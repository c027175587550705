package language

import "hash/fnv"

const (
	// Buckets is how many weights a language has. Different groups of letters may share one.
	Buckets = 1 << 14
	// longestGroup is the letters of the longest group.
	longestGroup = 4
)

// Features are the buckets of a word: of its groups of letters, with its beginning and its end, and of the whole.
func Features(word string) []int {
	letters := []rune("<" + word + ">")
	list := make([]int, 0, longestGroup*len(letters))
	for n := 1; n <= longestGroup; n++ {
		for i := range len(letters) - n + 1 {
			if n > 1 || i > 0 && i < len(letters)-1 {
				list = append(list, bucket(string(letters[i:i+n])))
			}
		}
	}
	return append(list, bucket("="+word))
}

func bucket(group string) int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(group))
	sum := hash.Sum32()
	return int((sum ^ sum>>15) % Buckets)
}
