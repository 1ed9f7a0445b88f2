// The optimizers' updates of one parameter of n elements, in place.
// Invariant: element by element, so order and grouping never matter; `rate` points at what changes from step to
// step: the learning rate, then (Adam) 1/(1 − β₁ᵗ) and 1/√(1 − β₂ᵗ). Formulas as in PyTorch.

/** v = momentum·v + g; p −= rate·v, or rate·(g + momentum·v) with Nesterov; `decay`·p is added to g first. */
export function updateSgd(
  p: usize, g: usize, v: usize, n: i32, rate: usize, momentum: f32, nesterov: i32, decay: f32,
): void {
  const lr = load<f32>(rate);
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    const value = load<f32>(p + i);
    let step = load<f32>(g + i) + decay * value;
    if (momentum != 0) {
      const moved = momentum * load<f32>(v + i) + step;
      store<f32>(v + i, moved);
      step = nesterov ? step + momentum * moved : moved;
    }
    store<f32>(p + i, value - lr * step);
  }
}

/** s += g²; p −= rate·g/(√s + ε). */
export function updateAdagrad(p: usize, g: usize, s: usize, n: i32, rate: usize, epsilon: f32, decay: f32): void {
  const lr = load<f32>(rate);
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    const value = load<f32>(p + i);
    const step = load<f32>(g + i) + decay * value;
    const sum = load<f32>(s + i) + step * step;
    store<f32>(s + i, sum);
    store<f32>(p + i, value - lr * step / (sqrt<f32>(sum) + epsilon));
  }
}

/** s = α·s + (1 − α)·g²; p −= rate·g/(√s + ε). */
export function updateRmsprop(
  p: usize, g: usize, s: usize, n: i32, rate: usize, alpha: f32, epsilon: f32, decay: f32,
): void {
  const lr = load<f32>(rate);
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    const value = load<f32>(p + i);
    const step = load<f32>(g + i) + decay * value;
    const sum = alpha * load<f32>(s + i) + (<f32>1 - alpha) * step * step;
    store<f32>(s + i, sum);
    store<f32>(p + i, value - lr * step / (sqrt<f32>(sum) + epsilon));
  }
}

/** Adam; with `decoupled` AdamW: the decay shrinks p itself by rate·decay instead of going through the moments. */
export function updateAdam(
  p: usize, g: usize, m: usize, s: usize, n: i32, rate: usize,
  beta1: f32, beta2: f32, epsilon: f32, decay: f32, decoupled: i32,
): void {
  const lr = load<f32>(rate), first = load<f32>(rate, 4), second = load<f32>(rate, 8);
  const shrink = f32x4.splat(decoupled ? <f32>1 - lr * decay : <f32>1);
  const added = f32x4.splat(decoupled ? 0 : decay);
  const size = f32x4.splat(lr * first), root = f32x4.splat(second), tiny = f32x4.splat(epsilon);
  const b1 = f32x4.splat(beta1), b2 = f32x4.splat(beta2);
  const c1 = f32x4.splat(<f32>1 - beta1), c2 = f32x4.splat(<f32>1 - beta2);
  // parameters are padded to whole vectors with zeros, which stay zero
  for (let i: usize = 0; i < (<usize>n) << 2; i += 16) {
    let value = v128.load(p + i);
    const step = f32x4.add(v128.load(g + i), f32x4.mul(added, value));
    const mean = f32x4.add(f32x4.mul(b1, v128.load(m + i)), f32x4.mul(c1, step));
    const spread = f32x4.add(f32x4.mul(b2, v128.load(s + i)), f32x4.mul(f32x4.mul(c2, step), step));
    v128.store(m + i, mean);
    v128.store(s + i, spread);
    value = f32x4.mul(value, shrink);
    const scaled = f32x4.add(f32x4.mul(f32x4.sqrt(spread), root), tiny);
    v128.store(p + i, f32x4.sub(value, f32x4.div(f32x4.mul(size, mean), scaled)));
  }
}

/** average += (p − average)·weight: running averages of weights. */
export function blend(average: usize, p: usize, n: i32, weight: f32): void {
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    const value = load<f32>(average + i);
    store<f32>(average + i, value + (load<f32>(p + i) - value) * weight);
  }
}
