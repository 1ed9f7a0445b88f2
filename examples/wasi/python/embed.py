"""Mote's reactor in Python, by wasmtime:  pip install wasmtime

    python embed.py [--aot | --pulley] MODULE.wasm (MODEL.mote INPUT OUTPUT)...

MODULE.wasm is reactor.wasm; or a module that `mote compile` made, with - as its MODEL. INPUT holds the bytes of the
inputs of one run after another; OUTPUT gets those of the outputs. --aot compiles ahead of time and loads the result,
as a device without a compiler would; --pulley runs wasmtime's portable interpreter.
"""

import sys

from wasmtime import Config, Engine, Linker, Module, Store, WasiConfig


class Mote:
    """One model in one instance. Raises RuntimeError with Mote's own sentence."""

    def __init__(self, engine, module, model=None):
        self.store = Store(engine)
        self.store.set_wasi(WasiConfig())
        linker = Linker(engine)
        linker.define_wasi()  # the reactor imports nothing; a compiled model's command part does
        self.exports = linker.instantiate(self.store, module).exports(self.store)
        self.memory = self.exports["memory"]
        if model is not None:
            at = self.call("reserve", len(model))
            if at == 0:
                raise RuntimeError(self.error())
            self.memory.write(self.store, model, at)
        if self.call("load", len(model or b"")) != 0:
            raise RuntimeError(self.error())
        self.inputs = self.ports("input")
        self.outputs = self.ports("output")

    def call(self, name, *arguments):
        return self.exports["mote_" + name](self.store, *arguments)

    def ports(self, side):
        """(address, bytes) of every input or output"""
        return [
            (self.call(side, i), self.call(side + "_bytes", i)) for i in range(self.call(side + "_count"))
        ]

    def error(self):
        at = self.call("error")
        return bytes(self.memory.read(self.store, at, at + 256)).split(b"\0")[0].decode()

    def run(self, data):
        """The bytes of the outputs for those of the inputs."""
        start = 0
        for at, size in self.inputs:
            self.memory.write(self.store, data[start : start + size], at)
            start += size
        if self.call("run") != 0:
            raise RuntimeError(self.error())
        return b"".join(bytes(self.memory.read(self.store, at, at + size)) for at, size in self.outputs)


def load_module(path, mode):
    config = Config()
    if mode == "--pulley":
        config.target = "pulley64"
    engine = Engine(config)
    module = Module.from_file(engine, path)
    if mode == "--aot":
        module = Module.deserialize(engine, module.serialize())
    return engine, module


def main(words):
    mode = words.pop(0) if words and words[0].startswith("--") else ""
    if len(words) < 4 or len(words) % 3 != 1:
        sys.exit(__doc__)
    engine, module = load_module(words[0], mode)
    for i in range(1, len(words), 3):
        model, source, target = words[i : i + 3]
        mote = Mote(engine, module, None if model == "-" else open(model, "rb").read())
        data = open(source, "rb").read()
        size = sum(size for _, size in mote.inputs)
        frames = [data[at : at + size] for at in range(0, len(data), size)] if size else [b""]
        with open(target, "wb") as out:
            for frame in frames:
                if len(frame) != size:
                    sys.exit(f"{source} ends inside a frame of {size} bytes")
                out.write(mote.run(frame))


if __name__ == "__main__":
    main(sys.argv[1:])
