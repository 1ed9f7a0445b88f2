// Mote's reactor in Go, by wazero, an engine without cgo:
//
//	go run . MODULE.wasm (MODEL.mote INPUT OUTPUT)...
//
// MODULE.wasm is reactor.wasm; or a module that `mote compile` made, with - as its MODEL. INPUT holds the bytes of the
// inputs of one run after another; OUTPUT gets those of the outputs.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

type port struct{ at, size uint32 }

// mote is one model in one instance.
type mote struct {
	ctx             context.Context
	module          api.Module
	inputs, outputs []port
}

// call calls an export; a trap, which Mote never makes, is an engine's limit that was hit.
func (m *mote) call(name string, arguments ...uint64) uint32 {
	results, err := m.module.ExportedFunction("mote_"+name).Call(m.ctx, arguments...)
	if err != nil {
		panic(err)
	}
	return api.DecodeU32(results[0])
}

func (m *mote) fault() error {
	text, _ := m.module.Memory().Read(m.call("error"), 256)
	return errors.New(string(text[:bytes.IndexByte(text, 0)]))
}

func (m *mote) ports(side string) []port {
	ports := make([]port, m.call(side+"_count"))
	for i := range ports {
		ports[i] = port{m.call(side, uint64(i)), m.call(side+"_bytes", uint64(i))}
	}
	return ports
}

func open(ctx context.Context, runtime wazero.Runtime, code wazero.CompiledModule, path string) (*mote, error) {
	// a compiled model is a command, too, which is not to start
	module, err := runtime.InstantiateModule(ctx, code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return nil, err
	}
	m := &mote{ctx: ctx, module: module}
	var model []byte
	if path != "-" {
		if model, err = os.ReadFile(path); err != nil {
			return nil, err
		}
		at := m.call("reserve", uint64(len(model)))
		if at == 0 {
			return nil, m.fault()
		}
		module.Memory().Write(at, model)
	}
	if m.call("load", uint64(len(model))) != 0 {
		return nil, m.fault()
	}
	m.inputs, m.outputs = m.ports("input"), m.ports("output")
	return m, nil
}

// run gives the bytes of the outputs for those of the inputs, and what is left of data.
func (m *mote) run(data []byte) (out, rest []byte, err error) {
	for _, input := range m.inputs {
		if uint32(len(data)) < input.size {
			return nil, nil, errors.New("the input ends inside a frame")
		}
		m.module.Memory().Write(input.at, data[:input.size])
		data = data[input.size:]
	}
	if m.call("run") != 0 {
		return nil, nil, m.fault()
	}
	for _, output := range m.outputs {
		view, _ := m.module.Memory().Read(output.at, output.size)
		out = append(out, view...)
	}
	return out, data, nil
}

func score(ctx context.Context, runtime wazero.Runtime, code wazero.CompiledModule, model, source, target string) error {
	m, err := open(ctx, runtime, code, model)
	if err != nil {
		return fmt.Errorf("%s: %w", model, err)
	}
	defer m.module.Close(ctx)
	data, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	var all []byte
	for first := true; first || len(data) > 0; first = false {
		var out []byte
		if out, data, err = m.run(data); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
		all = append(all, out...)
	}
	return os.WriteFile(target, all, 0o644)
}

func main() {
	words := os.Args[1:]
	if len(words) < 4 || len(words)%3 != 1 {
		fmt.Fprintln(os.Stderr, "usage: embed MODULE.wasm (MODEL.mote INPUT OUTPUT)...")
		os.Exit(2)
	}
	err := func() error {
		ctx := context.Background()
		runtime := wazero.NewRuntime(ctx)
		defer runtime.Close(ctx)
		wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
		bytes, err := os.ReadFile(words[0])
		if err != nil {
			return err
		}
		code, err := runtime.CompileModule(ctx, bytes)
		if err != nil {
			return err
		}
		for i := 1; i < len(words); i += 3 {
			if err := score(ctx, runtime, code, words[i], words[i+1], words[i+2]); err != nil {
				return err
			}
		}
		return nil
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
