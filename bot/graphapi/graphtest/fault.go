package graphtest

import (
	"fmt"
	"net/http"
	"slices"
)

// A Fault makes calls fail.
type Fault struct {
	Edge     string // which calls, "messages"; "" for all
	Customer string // to whom, "" for all
	Times    int    // how many; 1 if 0, all if negative

	// Exactly one of these is what happens.
	Code int  // an answer with this error code
	HTML bool // a proxy's page, with status 502
	Hang bool // no answer until the caller gives up
	Drop bool // the connection is cut without an answer
	Odd  bool // 200 with an empty object

	Subcode    int  // with Code
	Status     int  // of HTTP, with Code; 400 if 0
	Transient  bool // with Code
	RetryAfter int  // seconds, with Code
	Accept     bool // the call is carried out all the same: only its answer is lost
	Nth        int  // of so many calls one is carried out all the same; 0: none
	Late       bool // with Code, on WhatsApp: the message is taken, and a status says later that it failed

	played int
}

// Inject lays f in the way of the next calls that it fits, after the faults injected before. Marking
// a message as read and showing that one types are not what a fault of "messages" fits.
func (a *Account) Inject(f Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	a.faults = append(a.faults, &f)
}

// ClearFaults takes all faults away.
func (a *Account) ClearFaults() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = nil
}

// matchFault uses up the matchFault that fits a call, or what becomes of it later. a.mu is held.
func (a *Account) matchFault(edge, customer string, late bool) *Fault {
	if edge == "messages" && customer == "" { // a courtesy
		return nil
	}
	for i, f := range a.faults {
		if f.Late != late || f.Edge != "" && f.Edge != edge || f.Customer != "" && f.Customer != customer {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				a.faults = slices.Delete(a.faults, i, i+1)
			}
		}
		f.played++
		used := *f
		used.Accept = f.Accept || f.Nth > 0 && f.played%f.Nth == 0
		return &used
	}
	return nil
}

// play lets f happen to a call.
func (f *Fault) play(w http.ResponseWriter, r *http.Request) {
	switch {
	case f.HTML:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"))
	case f.Hang:
		<-r.Context().Done() // also when the server closes
		panic(http.ErrAbortHandler)
	case f.Drop:
		panic(http.ErrAbortHandler) // closes the connection, as net/http documents
	case f.Odd:
		write(w, http.StatusOK, map[string]any{})
	default:
		status := f.Status
		if status == 0 {
			status = http.StatusBadRequest
		}
		refuse(w, &refusal{status: status, code: f.Code, subcode: f.Subcode, transient: f.Transient, retryAfter: f.RetryAfter,
			message: fmt.Sprintf("(#%d) Refused", f.Code)})
	}
}
