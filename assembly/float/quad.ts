// Four floats, or one where a row's end leaves no four: so that tails use the arithmetic of the rest.

// @ts-ignore: decorator
@inline
export function four(at: usize, whole: bool): v128 {
  return whole ? v128.load(at) : v128.load32_zero(at);
}

// @ts-ignore: decorator
@inline
export function put(at: usize, v: v128, whole: bool): void {
  if (whole) v128.store(at, v);
  else v128.store32_lane(at, v, 0);
}
