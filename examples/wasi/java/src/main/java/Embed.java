// Mote's reactor in Java, by Chicory, an engine without native code:
//
//     mvn -q compile dependency:build-classpath -Dmdep.outputFile=classpath.txt
//     java -cp target/classes:$(cat classpath.txt) Embed reactor-scalar.wasm (MODEL.mote INPUT OUTPUT)...
//
// Chicory has no SIMD: it takes the scalar build. INPUT holds the bytes of the inputs of one run after another; OUTPUT
// gets those of the outputs.

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.WasmModule;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** One model in one instance. */
public final class Embed {
  private record Port(int at, int bytes) {}

  private final Instance instance;
  private final Port[] inputs;
  private final Port[] outputs;

  Embed(WasmModule module, byte[] model) {
    // a reactor imports nothing
    instance = Instance.builder(module).build();
    int at = call("reserve", model.length);
    if (at == 0) throw new IllegalStateException(error());
    instance.memory().write(at, model);
    if (call("load", model.length) != 0) throw new IllegalStateException(error());
    inputs = ports("input");
    outputs = ports("output");
  }

  private int call(String name, long... arguments) {
    return (int) instance.export("mote_" + name).apply(arguments)[0];
  }

  private String error() {
    return instance.memory().readCString(call("error"));
  }

  private Port[] ports(String side) {
    Port[] ports = new Port[call(side + "_count")];
    for (int i = 0; i < ports.length; i++) ports[i] = new Port(call(side, i), call(side + "_bytes", i));
    return ports;
  }

  int inputBytes() {
    return Arrays.stream(inputs).mapToInt(Port::bytes).sum();
  }

  /** Runs once on the inputs' bytes that start at {@code from}. */
  void run(byte[] data, int from, ByteArrayOutputStream out) {
    for (Port input : inputs) {
      instance.memory().write(input.at, data, from, input.bytes);
      from += input.bytes;
    }
    if (call("run") != 0) throw new IllegalStateException(error());
    for (Port output : outputs) out.writeBytes(instance.memory().readBytes(output.at, output.bytes));
  }

  public static void main(String[] words) throws IOException {
    if (words.length < 4 || words.length % 3 != 1) {
      System.err.println("usage: Embed MODULE.wasm (MODEL.mote INPUT OUTPUT)...");
      System.exit(2);
    }
    WasmModule module = Parser.parse(new File(words[0]));
    for (int i = 1; i < words.length; i += 3) {
      Embed mote = new Embed(module, Files.readAllBytes(Path.of(words[i])));
      byte[] data = Files.readAllBytes(Path.of(words[i + 1]));
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      int size = mote.inputBytes();
      if (size > 0 && data.length % size != 0) throw new IOException(words[i + 1] + " ends inside a frame");
      for (int from = 0; from == 0 || from < data.length; from += Math.max(1, size)) mote.run(data, from, out);
      Files.write(Path.of(words[i + 2]), out.toByteArray());
    }
  }
}
