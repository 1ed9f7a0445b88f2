//! Mote's reactor in Rust, by wasmtime:
//!
//!     mote-embed [--fuel N] [--memory BYTES] MODULE (MODEL.mote INPUT OUTPUT)...
//!     mote-embed --compile MODULE.cwasm MODULE.wasm
//!
//! MODULE is reactor.wasm; or a module that `mote compile` made, with - as its MODEL; or either compiled ahead of time by
//! the second line, whose name ends with .cwasm. INPUT holds the bytes of the inputs of one run after another; OUTPUT
//! gets those of the outputs. --fuel stops a run after N units, --memory is the most bytes the instance may have.

use std::{env, error::Error, fs, process::ExitCode};
use wasmtime::{Config, Engine, Instance, Linker, Memory, Module, Store, StoreLimits, StoreLimitsBuilder, WasmParams, WasmResults};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// One model in one instance. An error is Mote's own sentence, or the engine's where it stopped the call.
struct Mote {
    store: Store<StoreLimits>,
    instance: Instance,
    memory: Memory,
    fuel: Option<u64>,
    /// address and bytes of every input and output
    inputs: Vec<(usize, usize)>,
    outputs: Vec<(usize, usize)>,
}

impl Mote {
    /// `model` is None for a module that has its own.
    fn open(engine: &Engine, module: &Module, model: Option<&[u8]>, limits: StoreLimits, fuel: Option<u64>) -> Outcome<Mote> {
        let mut store = Store::new(engine, limits);
        store.limiter(|limits| limits);
        let mut linker = Linker::new(engine);
        // the reactor imports nothing; the command in a compiled model does, and is never called here
        linker.define_unknown_imports_as_traps(module)?;
        if fuel.is_some() {
            store.set_fuel(u64::MAX)?;
        }
        let instance = linker.instantiate(&mut store, module)?;
        let memory = instance.get_memory(&mut store, "memory").ok_or("the module has no memory")?;
        let mut mote = Mote { store, instance, memory, fuel, inputs: Vec::new(), outputs: Vec::new() };
        if let Some(bytes) = model {
            let at: u32 = mote.call("mote_reserve", bytes.len() as u32)?;
            if at == 0 {
                return Err(mote.fault());
            }
            mote.memory.write(&mut mote.store, at as usize, bytes)?;
        }
        let status: u32 = mote.call("mote_load", model.map_or(0, |bytes| bytes.len() as u32))?;
        mote.check(status)?;
        mote.inputs = mote.ports("mote_input")?;
        mote.outputs = mote.ports("mote_output")?;
        Ok(mote)
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, parameters: P) -> Outcome<R> {
        let function = self.instance.get_typed_func::<P, R>(&mut self.store, name)?;
        Ok(function.call(&mut self.store, parameters)?)
    }

    fn check(&mut self, status: u32) -> Outcome<()> {
        if status == 0 { Ok(()) } else { Err(self.fault()) }
    }

    /// What the last call said.
    fn fault(&mut self) -> Box<dyn Error> {
        match self.call::<(), u32>("mote_error", ()) {
            Ok(at) => {
                let text = &self.memory.data(&self.store)[at as usize..];
                let end = text.iter().position(|&byte| byte == 0).unwrap_or(0);
                String::from_utf8_lossy(&text[..end]).into()
            }
            Err(error) => error,
        }
    }

    fn ports(&mut self, side: &str) -> Outcome<Vec<(usize, usize)>> {
        let count: u32 = self.call(&format!("{side}_count"), ())?;
        (0..count)
            .map(|i| {
                let at: u32 = self.call(side, i)?;
                let bytes: u32 = self.call(&format!("{side}_bytes"), i)?;
                Ok((at as usize, bytes as usize))
            })
            .collect()
    }

    fn frame_bytes(&self) -> usize {
        self.inputs.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Appends the bytes of the outputs for those of the inputs.
    fn run(&mut self, frame: &[u8], out: &mut Vec<u8>) -> Outcome<()> {
        let mut rest = frame;
        for &(at, bytes) in &self.inputs {
            let (head, tail) = rest.split_at(bytes);
            self.memory.write(&mut self.store, at, head)?;
            rest = tail;
        }
        if let Some(fuel) = self.fuel {
            self.store.set_fuel(fuel)?;
        }
        let status: u32 = self.call("mote_run", ())?;
        self.check(status)?;
        for &(at, bytes) in &self.outputs {
            out.extend_from_slice(&self.memory.data(&self.store)[at..at + bytes]);
        }
        Ok(())
    }
}

fn load_module(engine: &Engine, path: &str) -> Outcome<Module> {
    if path.ends_with(".cwasm") {
        // SAFETY: native code; only files that this program's own --compile made may be given
        return Ok(unsafe { Module::deserialize_file(engine, path)? });
    }
    Ok(Module::from_file(engine, path)?)
}

/// The value of `option`, taken out of the words with it.
fn take(words: &mut Vec<String>, option: &str) -> Option<String> {
    let at = words.iter().position(|word| word == option).filter(|at| at + 1 < words.len())?;
    words.remove(at);
    Some(words.remove(at))
}

fn start() -> Outcome<()> {
    let mut words: Vec<String> = env::args().skip(1).collect();
    let fuel = take(&mut words, "--fuel").map(|word| word.parse::<u64>()).transpose()?;
    let most = take(&mut words, "--memory").map(|word| word.parse::<usize>()).transpose()?;
    let compiled = take(&mut words, "--compile");
    let mut config = Config::new();
    config.consume_fuel(fuel.is_some());
    let engine = Engine::new(&config)?;
    let triples = words.len().saturating_sub(1);
    if words.is_empty() || triples % 3 != 0 || (triples == 0) != compiled.is_some() {
        return Err("usage: mote-embed [--fuel N] [--memory BYTES] MODULE (MODEL.mote INPUT OUTPUT)...".into());
    }
    if let Some(path) = compiled {
        return Ok(fs::write(path, engine.precompile_module(&fs::read(&words[0])?)?)?);
    }
    let module = load_module(&engine, &words[0])?;
    for triple in words[1..].chunks(3) {
        let model = if triple[0] == "-" { None } else { Some(fs::read(&triple[0])?) };
        let limits = StoreLimitsBuilder::new().memory_size(most.unwrap_or(1 << 32)).build();
        let mut mote = Mote::open(&engine, &module, model.as_deref(), limits, fuel)?;
        let (input, bytes) = (fs::read(&triple[1])?, mote.frame_bytes());
        let mut out = Vec::new();
        if bytes == 0 {
            mote.run(&[], &mut out)?;
        } else if input.len() % bytes != 0 {
            return Err(format!("{} ends inside a frame of {bytes} bytes", triple[1]).into());
        } else {
            for frame in input.chunks(bytes) {
                mote.run(frame, &mut out)?;
            }
        }
        fs::write(&triple[2], out)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mote-embed: {error}");
            // what the engine stopped a call for lies beneath its backtrace
            let mut cause = error.source();
            while let Some(deeper) = cause {
                eprintln!("  {deeper}");
                cause = deeper.source();
            }
            ExitCode::FAILURE
        }
    }
}
