/* The C interface of Mote's WebAssembly reactor (reactor.wasm) and of the modules that `mote compile` makes.
 *
 * These are exports of a WebAssembly module, not of a library: call them through your engine by their names. An
 * address is a place in the module's own memory (its export "memory"), 0 where there is none.
 *
 *     at = mote_reserve(bytes);          // reactor only: copy the .mote file to `at`, then
 *     mote_load(bytes);                  // a compiled model: mote_load(0), and nothing is reserved
 *     copy to mote_input(0); mote_run(); read from mote_output(0);
 *
 * Functions that return an int32_t return a status: MOTE_DONE, or what went wrong, of which mote_error() then says
 * one sentence. No call traps, whatever the model and the arguments. Nothing is allocated but by mote_reserve and
 * mote_load, which make the memory as large as the model needs, or leave it and return MOTE_MEMORY. Addresses stay
 * the same from one mote_load to the next. One module instance holds one model; threads need an instance each.
 */
#ifndef MOTE_H
#define MOTE_H

#include <stdint.h>

/* The exit statuses of mote.wasm, too. */
enum {
  MOTE_DONE = 0,
  MOTE_USAGE = 2,  /* a call at the wrong time or with wrong arguments */
  MOTE_FILE = 3,   /* command only: a file cannot be opened or read */
  MOTE_MODEL = 4,  /* no .mote file, or a damaged one, or one of another version */
  MOTE_MEMORY = 5, /* the model needs more memory than the engine gives; the sentence says how much */
  MOTE_INPUT = 6,  /* command only: the input is too short or too long */
  MOTE_OUTPUT = 7, /* command only: the output cannot be written */
  MOTE_STATE = 8   /* no saved state, a damaged one, or another model's */
};

#define MOTE_STATE_HEADER_BYTES 32

typedef uint32_t mote_address; /* in the module's memory */

/* Makes room for a .mote file of `bytes` bytes and forgets the model before it. Returns where to copy the file,
 * or 0, after which mote_error() says how much memory there is. Not in compiled modules. */
mote_address mote_reserve(uint32_t bytes);

/* Checks the file that was copied, makes room for its tensors, and loads it. */
int32_t mote_load(uint32_t bytes);

/* Inputs and outputs in the model's order: their number, places and bytes. What the bytes are (dtype, shape, scale)
 * `mote inspect` tells. Steps may reuse an input's place: fill it before every run. An output is valid until the next. */
int32_t mote_input_count(void);
int32_t mote_output_count(void);
mote_address mote_input(int32_t index);
uint32_t mote_input_bytes(int32_t index);
mote_address mote_output(int32_t index);
uint32_t mote_output_bytes(int32_t index);

/* Runs the model once; a streaming model goes on from the run before. */
int32_t mote_run(void);

/* What a streaming model keeps between runs; 0 bytes where it keeps nothing. A saved state is
 * MOTE_STATE_HEADER_BYTES bytes at mote_state_header() followed by mote_state_bytes() bytes at mote_state().
 * To save: mote_state_save() fills the header; read both. To go on: write both, then mote_state_load() judges them,
 * and starts the stream anew if it refuses them. The bytes are the same on every engine, build and machine. */
uint32_t mote_state_bytes(void);
mote_address mote_state(void);
mote_address mote_state_header(void);
int32_t mote_state_save(void);
int32_t mote_state_load(void);
void mote_state_reset(void);

/* What the last call said, a C string in the module's memory; empty when all was well. */
mote_address mote_error(void);

#endif
