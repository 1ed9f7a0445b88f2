// A float net in the peers' own form (a list of layers and one file of weights) as TensorFlow.js operations.

/** @returns a function from the input tensor to the output tensor */
export function buildFloatModel(tf, plan, weights) {
  const constant = ({ off, shape }) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return tf.tensor(new Float32Array(weights, off, count).slice(), shape, "float32");
  };
  const layers = plan.ops.map((op) => ({ ...op, w: op.w && constant(op.w), b: op.b && constant(op.b) }));
  return (x) =>
    tf.tidy(() => {
      const values = { [plan.input]: x };
      for (const layer of layers) values[layer.y] = apply(tf, layer, values);
      return values[plan.output];
    });
}

function apply(tf, layer, values) {
  const x = values[layer.x];
  const { w: filter, b: bias, stride: strides, pad, act: activation } = layer;
  switch (layer.op) {
    case "CONV_2D":
      return tf.fused.conv2d({ x, filter, strides, pad, bias, activation });
    case "DEPTHWISE_CONV_2D":
      return tf.fused.depthwiseConv2d({ x, filter, strides, pad, bias, activation });
    case "FULLY_CONNECTED":
      return tf.fused.matMul({ a: tf.reshape(x, layer.xs), b: filter, bias, activation });
    case "ADD": {
      const sum = tf.add(x, values[layer.x2]);
      return activation === "relu" ? tf.relu(sum) : sum;
    }
    case "AVERAGE_POOL_2D":
      return tf.avgPool(x, layer.k, strides, pad);
    case "MEAN":
      return tf.mean(x, layer.axes, layer.keep);
    case "RESHAPE":
      return tf.reshape(x, layer.shape);
    case "SOFTMAX":
      return tf.softmax(x);
    default:
      throw new Error(`${layer.op} is not among the bench's layers`);
  }
}
