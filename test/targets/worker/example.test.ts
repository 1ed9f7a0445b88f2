// examples/worker as it is deployed: bundled by wrangler from the packed package, run in real workerd with its bucket,
// cache and Durable Objects.
import { readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { decode } from "fast-png";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadModel } from "../../../host/targets/node.ts";
import { packGraph } from "../../../tools/pack/pack.ts";
import { generateSigningKey, signModel } from "../../../tools/sign/sign.ts";
import { absent, ENGINES, findPackage } from "../../engines/find.ts";
import { startWorker, type Worker, workerdAbsent } from "../../engines/workerd.ts";
import { describeEngine } from "../../support/describeEngine.ts";
import { installedProject, type Project } from "../../support/installed.ts";
import { Random } from "../../support/random.ts";
import { sharedData } from "../../support/sharedData.ts";
import { root } from "../../support/sources.ts";
import { delayGraph, FRAME } from "../../support/streamModel.ts";
import { packKeywords } from "../webview/page.ts";

const RAW = "application/octet-stream";
const reason = workerdAbsent() ?? (findPackage("wrangler") ? undefined : absent("wrangler"));
const signer = generateSigningKey();
const stream = packGraph(delayGraph(), { source: "none", sourceBytes: new Uint8Array() }).bytes;
const picture = readFileSync(join(root, "models/digits/seven.png"));

let project: Project;
let worker: Worker;
let said = "";

const buffer = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
const signed = (bytes: Uint8Array): ArrayBuffer => buffer(signModel(bytes, signer.privateKey).bytes);

const post = async (path: string, type: string, body: string | Uint8Array) => {
  const init = { method: "POST", headers: { "content-type": type }, body: body as BodyInit };
  const response = await worker.fetch(path, init);
  // biome-ignore lint/suspicious/noExplicitAny: whatever the Worker answers
  return { status: response.status, json: (await response.json()) as any };
};

describeEngine("the example Worker", reason, () => {
  beforeAll(async () => {
    project = installedProject();
    project.copy("examples/worker", "worker");
    const wrangler = join(ENGINES, "node_modules/wrangler/bin/wrangler.js");
    const config = ["-c", "worker/wrangler.jsonc"];
    said = project.run(process.execPath, wrangler, "deploy", "--dry-run", "--outdir", "out", ...config);
    worker = await startWorker(join(project.folder, "worker/out"), "worker.js", {
      r2Buckets: ["MODELS"],
      cache: true,
      bindings: { KEYWORDS_KEY: "k1", STREAM_KEY: "s1", MODEL_PUBLIC_KEY: signer.publicKey },
      durableObjects: { STREAMS: { className: "ModelStream", useSQLite: true } },
    });
    await (await worker.flare.getR2Bucket("MODELS")).put("s1", signed(stream));
  });
  afterAll(async () => {
    await worker?.close();
    project?.remove();
  });

  it("has a dry run that says its size, and one core in it", () => {
    expect(said).toMatch(/Total Upload: [\d.]+ KiB/);
    const files = readdirSync(join(project.folder, "worker/out")).map((name) => name.replace(/^[0-9a-f]{40}-/, ""));
    expect(files.sort()).toEqual(expect.arrayContaining(["digits.mote", "simd.wasm", "worker.js"]));
    expect(files.filter((name) => name.endsWith(".wasm"))).toHaveLength(1);
  });

  it("names the digit of a picture, as PNG and as pixels", async () => {
    const png = await post("/digits", "image/png", picture);
    expect(png).toMatchObject({ status: 200, json: { digit: 7, build: "simd" } });
    expect(png.json.others).toHaveLength(9);
    const { data, width, height } = decode(picture);
    expect([width, height]).toEqual([28, 28]);
    expect(await post("/digits", RAW, Uint8Array.from(data))).toEqual(png);
  });

  it("keeps the state of each stream", async () => {
    const frames = Uint8Array.from({ length: FRAME * 6 }, (_, i) => (i * 37) % 256);
    const whole = await post("/streams/whole", RAW, frames);
    expect(whole).toMatchObject({ status: 200 });
    expect(whole.json.outputs).toHaveLength(6);
    const first = await post("/streams/parts", RAW, frames.subarray(0, FRAME * 2));
    const rest = await post("/streams/parts", RAW, frames.subarray(FRAME * 2));
    expect([...first.json.outputs, ...rest.json.outputs]).toEqual(whole.json.outputs);
    const other = await post("/streams/other", RAW, frames.subarray(FRAME * 2));
    expect(other.json.outputs).not.toEqual(rest.json.outputs);
    expect(await post("/streams/parts", RAW, frames.subarray(1))).toMatchObject({ status: 400 });
  });

  it("gives 2,000 right answers to 2,000 requests, 64 at a time", async () => {
    const random = new Random(11);
    const pictures = Array.from({ length: 40 }, () => Uint8Array.from({ length: 784 }, () => random.integer(0, 255)));
    const session = await (await loadModel(join(root, "models/digits/digits.mote"))).createSession({ build: "simd" });
    const expected = pictures.map((pixels) => {
      const [scores] = Object.values(session.run(Float32Array.from(pixels, (pixel) => pixel / 255)));
      return Math.max(...scores!);
    });
    let next = 0;
    let right = 0;
    const client = async (): Promise<void> => {
      while (next < 2000) {
        const which = next++ % pictures.length;
        const { status, json } = await post("/digits", RAW, pictures[which]!);
        if (status === 200 && json.score === (expected[which]! + 128) / 256) right++;
      }
    };
    await Promise.all(Array.from({ length: 64 }, client));
    expect(right).toBe(2000);
  });

  it.each<readonly [string, string, string, string | Uint8Array, number]>([
    ["nothing", "/digits", RAW, "", 400],
    ["too few pixels", "/digits", RAW, new Uint8Array(783), 400],
    ["no PNG", "/digits", "image/png", "a picture of a seven, in words", 400],
    ["half a PNG", "/digits", "image/png", picture.subarray(0, picture.length >> 1), 400],
    ["a PNG of many pixels in few bytes", "/digits", "image/png", vast(), 422],
    ["JSON", "/digits", "application/json", "[]", 415],
    ["no type", "/digits", "", new Uint8Array(784), 415],
    ["too much", "/digits", RAW, new Uint8Array(300 * 1024), 413],
    ["no WAV", "/keywords", "audio/wav", new Uint8Array(100), 400],
    ["a WAV that ends in its header", "/keywords", "audio/wav", "RIFF....WAVEfmt ", 400],
    ["an unknown address", "/letters", RAW, "x", 404],
    ["a stream's name that is none", "/streams/../../x", RAW, "x", 404],
  ])("refuses %s", async (_, path, type, body, status) => {
    const answer = await post(path, type, body);
    expect(answer).toMatchObject({ status, json: { error: { code: "BAD_REQUEST", message: expect.any(String) } } });
    await alive();
  });

  it("refuses a compressed body and other methods", async () => {
    const headers = { "content-type": RAW, "content-encoding": "gzip" };
    expect((await worker.fetch("/digits", { method: "POST", headers, body: new Uint8Array(9) })).status).toBe(415);
    const get = await worker.fetch("/digits");
    expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
    await alive();
  });

  it("refuses a body that never ends once it is too large, one that stalls, and lives on when one breaks off", async () => {
    const { port } = await worker.flare.ready;
    expect(await send(port, (socket) => setInterval(() => socket.write(chunk(65536)), 1))).toMatch(/ 413 /);
    expect(await send(port, (socket) => void socket.write(chunk(100)))).toMatch(/ 408 /);
    for (let i = 0; i < 20; i++) await send(port, (socket) => void socket.write(chunk(100), () => socket.destroy()));
    await alive();
  }, 30_000);

  it("hears keywords, with a signed model from the bucket", async ({ skip }) => {
    if (!sharedData) return skip("../shared/data is absent");
    const bytes = packKeywords();
    const models = await worker.flare.getR2Bucket("MODELS");
    const ask = (name: string) => post("/keywords", "audio/wav", readFileSync(join(sharedData!, "media", name)));
    const refused = (status: number, code: string) => ({ status, json: { error: { code } } });
    expect(await ask("yes_1000ms.wav")).toMatchObject(refused(503, "FETCH"));
    await models.put("k1", buffer(bytes));
    expect(await ask("yes_1000ms.wav")).toMatchObject(refused(500, "UNTRUSTED"));
    const altered = signModel(bytes, signer.privateKey).bytes;
    altered[altered.length >> 1]! ^= 1;
    await models.put("k1", buffer(altered));
    expect(await ask("yes_1000ms.wav")).toMatchObject(refused(500, "UNTRUSTED"));
    await models.put("k1", signed(bytes));
    expect(await ask("yes_1000ms.wav")).toMatchObject({ status: 200, json: { keyword: "yes", score: 255 / 256 } });
    // so does the reference net hear it (case "no" of its golden outputs)
    expect(await ask("no_1000ms.wav")).toMatchObject({ status: 200, json: { keyword: "go" } });
    expect(await ask("noise_1000ms.wav")).toMatchObject({ status: 200, json: { keyword: "unknown" } });
    expect(await post("/keywords", "audio/wav", wav(44_100, 1))).toMatchObject({ status: 422 });
    expect(await post("/keywords", "audio/wav", wav(16_000, 1))).toMatchObject({ status: 200 });
  });
});

const chunk = (size: number): string => `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;

/** What the isolate answers after something went wrong. */
const alive = async (): Promise<void> =>
  expect(await post("/digits", "image/png", picture)).toMatchObject({ status: 200, json: { digit: 7 } });

/** A request written by hand, body in chunks: the answer's first line, or "" when there is none. */
function send(port: string, body: (socket: Socket) => unknown): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(port), "127.0.0.1");
    let timer: unknown;
    let answer = "";
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      answer += data;
      if (answer.includes("\r\n")) socket.destroy();
    });
    socket.on("close", () => {
      clearInterval(timer as NodeJS.Timeout);
      resolve(answer.split("\r\n")[0]!);
    });
    const head = ["POST /digits HTTP/1.1", "host: worker", `content-type: ${RAW}`, "transfer-encoding: chunked"];
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    timer = body(socket);
  });
}

/** A PNG's head that speaks of 2³¹ pixels. */
function vast(): Uint8Array {
  const bytes = Uint8Array.from(picture);
  new DataView(bytes.buffer).setUint32(16, 65536);
  new DataView(bytes.buffer).setUint32(20, 32768);
  return bytes;
}

function wav(rate: number, channels: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(44 + 2 * rate));
  const text = (at: number, letters: string) =>
    [...letters].forEach((letter, i) => void view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  text(8, "WAVEfmt ");
  for (const [at, value] of [
    [4, 36 + 2 * rate],
    [16, 16],
    [24, rate],
    [28, 2 * rate],
    [40, 2 * rate],
  ] as const)
    view.setUint32(at, value, true);
  for (const [at, value] of [
    [20, 1],
    [22, channels],
    [32, 2],
    [34, 16],
  ] as const)
    view.setUint16(at, value, true);
  text(36, "data");
  return new Uint8Array(view.buffer);
}
