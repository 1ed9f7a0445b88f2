/* Mote's reactor in C, by WAMR, the WebAssembly Micro Runtime:
 *
 *     embed [--pool KIB] MODULE.wasm (MODEL.mote INPUT OUTPUT)...
 *
 * MODULE.wasm is reactor.wasm; or a module that `mote compile` made, with - as its MODEL. INPUT holds the bytes of the
 * inputs of one run after another; OUTPUT gets those of the outputs. The engine lives in a pool of POOL_KIB, all
 * of its own memory but the module's, or in the part of it that --pool says; CMakeLists.txt beside builds it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mote.h"
#include "wasm_export.h"

#ifndef POOL_KIB
#define POOL_KIB 4096
#endif
#define STACK_BYTES (16 * 1024)

static char pool[POOL_KIB * 1024];
static wasm_module_inst_t instance;
static wasm_exec_env_t env;

static void quit(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

/* Calls an export of at most one argument. */
static uint32_t call(const char *name, uint32_t argument, uint32_t arguments) {
  uint32_t values[1] = {argument};
  wasm_function_inst_t function = wasm_runtime_lookup_function(instance, name);
  if (!function) quit(name, "there is no such export");
  if (!wasm_runtime_call_wasm(env, function, arguments, values)) quit(name, wasm_runtime_get_exception(instance));
  return values[0];
}

static void *native(uint32_t address) { return wasm_runtime_addr_app_to_native(instance, address); }

static void check(const char *what, uint32_t status) {
  if (status != MOTE_DONE) quit(what, native(call("mote_error", 0, 0)));
}

static uint8_t *read_file(const char *path, uint32_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (!file) quit(path, "it cannot be opened");
  fseek(file, 0, SEEK_END);
  *bytes = (uint32_t)ftell(file);
  rewind(file);
  uint8_t *data = malloc(*bytes + 1);
  if (!data || fread(data, 1, *bytes, file) != *bytes) quit(path, "it cannot be read");
  fclose(file);
  return data;
}

static void load(const char *path) {
  uint32_t bytes = 0;
  if (strcmp(path, "-") != 0) {
    uint8_t *model = read_file(path, &bytes);
    uint32_t at = call("mote_reserve", bytes, 1);
    if (!at) check(path, MOTE_MEMORY);
    memcpy(native(at), model, bytes);
    free(model);
  }
  check(path, call("mote_load", bytes, 1));
}

static void run(const char *source, const char *target) {
  FILE *in = fopen(source, "rb"), *out = fopen(target, "wb");
  if (!in || !out) quit(in ? target : source, "it cannot be opened");
  uint32_t inputs = call("mote_input_count", 0, 0), outputs = call("mote_output_count", 0, 0), got = 0;
  do {
    for (uint32_t i = 0; i < inputs; i++) {
      uint32_t bytes = call("mote_input_bytes", i, 1);
      got = (uint32_t)fread(native(call("mote_input", i, 1)), 1, bytes, in);
      if (got == 0 && i == 0) break;
      if (got != bytes) quit(source, "it ends inside a frame");
    }
    if (got == 0 && inputs > 0) break;
    check(source, call("mote_run", 0, 0));
    for (uint32_t i = 0; i < outputs; i++)
      fwrite(native(call("mote_output", i, 1)), 1, call("mote_output_bytes", i, 1), out);
  } while (inputs > 0);
  fclose(in);
  if (fclose(out) != 0) quit(target, "it cannot be written");
}

int main(int count, char **words) {
  uint32_t pool_bytes = sizeof pool;
  if (count > 2 && strcmp(words[1], "--pool") == 0) {
    uint32_t most = sizeof pool / 1024, kib = (uint32_t)strtoul(words[2], NULL, 10);
    pool_bytes = (kib < most ? kib : most) * 1024;
    count -= 2;
    words += 2;
  }
  if (count < 5 || count % 3 != 2) quit("usage", "embed [--pool KIB] MODULE.wasm (MODEL.mote INPUT OUTPUT)...");
  char error[128];
  uint32_t bytes;
  RuntimeInitArgs options = {.mem_alloc_type = Alloc_With_Pool};
  options.mem_alloc_option.pool.heap_buf = pool;
  options.mem_alloc_option.pool.heap_size = pool_bytes;
  if (!wasm_runtime_full_init(&options)) quit("WAMR", "the pool is too small to start in");
  uint8_t *code = read_file(words[1], &bytes);
  wasm_module_t module = wasm_runtime_load(code, bytes, error, sizeof error);
  if (!module) quit(words[1], error);
  for (int i = 2; i < count; i += 3) {
    instance = wasm_runtime_instantiate(module, STACK_BYTES, 0, error, sizeof error);
    if (!instance) quit(words[1], error);
    env = wasm_runtime_create_exec_env(instance, STACK_BYTES);
    if (!env) quit(words[1], "the pool is too small for a stack");
    load(words[i]);
    run(words[i + 1], words[i + 2]);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(instance);
  }
  wasm_runtime_unload(module);
  wasm_runtime_destroy();
  return 0;
}
