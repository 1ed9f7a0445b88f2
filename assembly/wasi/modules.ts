// The command and the reactor in one, compiled once; tools/build/wasi.mjs makes two files of it, each with its own
// exports and with what these need.

export { _start } from "./command";
export * from "./reactor";
