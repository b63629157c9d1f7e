// Records a history for Lawspeaker: `go run recorder.go FILE` writes a small demonstration.
//
// Copy the type Recorder into your project and call Call around what your code does. Go 1.18 or later.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// ErrFail marks, by wrapping, that a call surely did not happen; any other error is of unknown outcome.
var ErrFail = errors.New("surely did not happen")

// X is what Jepsen has no word for: key, group, gen, cause, clock, phase and so on.
type X map[string]any

// Recorder writes one op a line, whole lines only, from any goroutine.
type Recorder struct {
	mutex   sync.Mutex
	file    *os.File
	started time.Time
	index   int
}

// NewRecorder creates or replaces the file and writes the header.
func NewRecorder(path, profile, source string) (*Recorder, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	header := map[string]any{"format": "lawspeaker.history", "version": 1, "profile": profile, "source": source}
	return &Recorder{file: file, started: time.Now()}, json.NewEncoder(file).Encode(header)
}

// Op writes one op. Failure to write is fatal: a history with holes proves nothing.
func (r *Recorder) Op(process any, opType, f string, value any, failure error, x X) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	line := map[string]any{"index": r.index, "time": time.Since(r.started).Nanoseconds(),
		"process": process, "type": opType, "f": f, "value": value}
	if failure != nil {
		line["error"] = failure.Error()
	}
	if len(x) > 0 {
		line["x"] = x
	}
	if err := json.NewEncoder(r.file).Encode(line); err != nil {
		panic(fmt.Sprintf("the history cannot be written: %v", err))
	}
	r.index++
}

// Call records the invocation and what became of it; do returns what came back. After an outcome that nobody knows,
// use a new process id.
func (r *Recorder) Call(process any, f string, value any, x X, do func() (any, error)) error {
	r.Op(process, "invoke", f, value, nil, x)
	result, err := do()
	switch {
	case err == nil:
		r.Op(process, "ok", f, result, nil, x)
	case errors.Is(err, ErrFail):
		r.Op(process, "fail", f, value, err, x)
	default:
		r.Op(process, "info", f, value, err, x)
	}
	return err
}

func main() {
	recorder, err := NewRecorder(os.Args[1], "kafka", "demo of recorder.go")
	if err != nil {
		panic(err)
	}
	var records [][]any
	for _, event := range []string{"a", "b", "c"} {
		sent := [][]any{{"send", "orders/0", event}}
		recorder.Call(0, "send", sent, X{"key": "k"}, func() (any, error) {
			records = append(records, []any{len(records), event})
			return [][]any{{"send", "orders/0", records[len(records)-1]}}, nil
		})
	}
	recorder.Call(1, "poll", [][]any{{"poll"}}, X{"group": "g"}, func() (any, error) {
		return [][]any{{"poll", map[string]any{"orders/0": records}}}, nil
	})
	next := map[string]any{"orders/0": len(records)}
	recorder.Call(1, "commit", next, X{"group": "g"}, func() (any, error) { return next, nil })
	if err := recorder.file.Close(); err != nil {
		panic(err)
	}
}
