// Package waittest is how tests wait for what must come. A busy machine is slow, which is no fault of the code, so no
// test gives up after seconds. It is for tests only.
package waittest

import "time"

// Hang is how long a test waits for something that must come, before it counts as a hang. It is half of what go test
// allows a package, so that the test can say what it waited for.
const Hang = 5 * time.Minute
