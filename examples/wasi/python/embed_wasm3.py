"""Mote's reactor in Python, by wasm3, an interpreter for the smallest machines:  pip install pywasm3

    python embed_wasm3.py MODULE.wasm (MODEL.mote INPUT OUTPUT)...

wasm3 has no SIMD: MODULE.wasm is reactor-scalar.wasm; or what `mote compile --build scalar` made, with - as its MODEL.
INPUT holds the bytes of the inputs of one run after another; OUTPUT gets those of the outputs.
"""

import sys

import wasm3

STACK_BYTES = 64 * 1024


class Mote:
    """One model in one instance. Raises RuntimeError with Mote's own sentence."""

    def __init__(self, code, model=None):
        environment = wasm3.Environment()
        self.runtime = environment.new_runtime(STACK_BYTES)
        self.runtime.load(environment.parse_module(code))
        if model is not None:
            at = self.call("reserve", len(model))
            if at == 0:
                raise RuntimeError(self.error())
            self.write(at, model)
        if self.call("load", len(model or b"")) != 0:
            raise RuntimeError(self.error())
        self.inputs = self.ports("input")
        self.outputs = self.ports("output")

    def call(self, name, *arguments):
        return self.runtime.find_function("mote_" + name)(*arguments)

    def write(self, at, data):
        self.runtime.get_memory(0)[at : at + len(data)] = data

    def read(self, at, size):
        return bytes(self.runtime.get_memory(0)[at : at + size])

    def ports(self, side):
        """(address, bytes) of every input or output"""
        return [
            (self.call(side, i), self.call(side + "_bytes", i)) for i in range(self.call(side + "_count"))
        ]

    def error(self):
        return self.read(self.call("error"), 256).split(b"\0")[0].decode()

    def run(self, data):
        """The bytes of the outputs for those of the inputs."""
        start = 0
        for at, size in self.inputs:
            self.write(at, data[start : start + size])
            start += size
        if self.call("run") != 0:
            raise RuntimeError(self.error())
        return b"".join(self.read(at, size) for at, size in self.outputs)


def main(words):
    if len(words) < 4 or len(words) % 3 != 1:
        sys.exit(__doc__)
    code = open(words[0], "rb").read()
    for i in range(1, len(words), 3):
        model, source, target = words[i : i + 3]
        mote = Mote(code, None if model == "-" else open(model, "rb").read())
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
