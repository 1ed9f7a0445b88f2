// A WebAssembly file as bundlers for Workers import it.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
