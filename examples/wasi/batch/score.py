"""Mote's reactor over a Parquet data set, on all processes of a Ray cluster:  pip install ray pyarrow pandas wasmtime

    python score.py [--workers N] [--address ADDRESS] REACTOR.wasm MODEL.mote DATA.parquet SCORES_FOLDER

Column "input" of DATA.parquet (a file, or a folder of files) holds the bytes of one frame of the model's inputs in each row; the
Parquet files in SCORES_FOLDER have a column "output" with the bytes of the outputs beside it, in the same order.
--workers 0 scores in this process, without Ray. --address joins a cluster; else one is started on this machine.

Each worker compiles the module once and keeps one instance of it. Rows need nothing of each other, so a streaming
model is not for this: every row starts it anew. Prints one line of JSON: rows, seconds, rows a second, workers.
"""

import argparse
import json
import os
import sys
import time

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet

HERE = os.path.dirname(os.path.abspath(__file__))
EMBEDDING = os.path.join(HERE, "..", "python")
BATCH_ROWS = 512


class Scorer:
    """What a worker keeps: one model in one instance."""

    def __init__(self, module, model):
        # a worker of Ray has another search path than this program
        sys.path.insert(0, EMBEDDING)
        from embed import Mote
        from wasmtime import Engine, Module

        engine = Engine()
        self.mote = Mote(engine, Module(engine, module), model)
        self.bytes = sum(size for _, size in self.mote.inputs)

    def output(self, frame):
        if len(frame) != self.bytes:
            raise ValueError(f"a row's input has {len(frame)} bytes, and the model takes {self.bytes}")
        self.mote.call("state_reset")
        return self.mote.run(frame)

    def __call__(self, batch):
        frames = batch.column("input").to_pylist()
        return batch.append_column("output", pa.array([self.output(frame) for frame in frames], pa.binary()))


def score_here(module, model, data, folder):
    scorer, rows = Scorer(module, model), 0
    start = time.perf_counter()
    os.makedirs(folder, exist_ok=True)
    writer = None
    for batch in pyarrow.dataset.dataset(data, format="parquet").to_batches(batch_size=BATCH_ROWS):
        table = scorer(pa.Table.from_batches([batch]))
        writer = writer or pyarrow.parquet.ParquetWriter(os.path.join(folder, "part-0.parquet"), table.schema)
        writer.write_table(table)
        rows += table.num_rows
    if writer:
        writer.close()
    return rows, time.perf_counter() - start


def score_on_ray(module, model, data, folder, workers, address):
    import ray

    # one processor more than the workers have: for reading and writing, which are short
    options = {"address": address} if address else {"num_cpus": workers + 1, "include_dashboard": False}
    ray.init(log_to_driver=False, logging_level="ERROR", **options)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    start = time.perf_counter()
    scored = ray.data.read_parquet(data, override_num_blocks=4 * workers).map_batches(
        Scorer,
        fn_constructor_args=(module, model),
        concurrency=workers,
        num_cpus=1,
        batch_size=BATCH_ROWS,
        batch_format="pyarrow",
    )
    scored.write_parquet(folder)
    seconds = time.perf_counter() - start
    rows = pyarrow.dataset.dataset(folder, format="parquet").count_rows()
    ray.shutdown()
    return rows, seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--address")
    for name in ("module", "model", "data", "folder"):
        parser.add_argument(name)
    words = parser.parse_args()
    with open(words.module, "rb") as file:
        module = file.read()
    with open(words.model, "rb") as file:
        model = file.read()
    data, folder = os.path.abspath(words.data), os.path.abspath(words.folder)
    if words.workers == 0:
        rows, seconds = score_here(module, model, data, folder)
    else:
        rows, seconds = score_on_ray(module, model, data, folder, words.workers, words.address)
    print(json.dumps({"rows": rows, "seconds": seconds, "rows_per_second": rows / seconds, "workers": words.workers}))


if __name__ == "__main__":
    main()
