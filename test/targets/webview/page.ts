// examples/webview built from the packed package, for the tests that open it. Invariant: built once a test file; the
// models that are no part of the project are packed from the shared data, where it is there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withFrontEnd } from "../../../tools/graph/frontEnds.ts";
import { importModel } from "../../../tools/import/index.ts";
import { type PackOptions, packGraph } from "../../../tools/pack/pack.ts";
import { installedProject, type Project } from "../../support/installed.ts";
import { sharedData } from "../../support/sharedData.ts";

export const KEYWORDS = ["down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "silence", "unknown"];

/** A published net of the shared data as a .mote file. */
export function packShared(source: string, more: Partial<PackOptions>, frontEnd?: string): Uint8Array {
  const sourceBytes = readFileSync(join(sharedData!, "models", source));
  const graph = importModel(sourceBytes, source);
  return packGraph(frontEnd ? withFrontEnd(graph, frontEnd) : graph, { source, sourceBytes, ...more }).bytes;
}

/** Keyword spotting from sound: the published net with its front end. */
export function packKeywords(): Uint8Array {
  const meanings = { samples: { kind: "audio", sampleRate: 16_000, gain: 1 } } as const;
  return packShared("kws_ref_model.tflite", { labels: KEYWORDS, meanings }, "kws");
}

/** The project whose `www` folder is the page. */
export function builtPage(): Project {
  const project = installedProject();
  project.copy("examples/webview", "webview");
  const more: string[] = [];
  if (sharedData) {
    const image = { kind: "image", mean: 0, std: 255 } as const;
    project.write("keywords.mote", packKeywords());
    const options = { labels: ["nobody", "a person"], meanings: { input_1_int8: image } };
    project.write("person.mote", packShared("vww_96_int8.tflite", options));
    more.push("--keywords", "keywords.mote", "--person", "person.mote");
  }
  project.run(process.execPath, "webview/build.mjs", "--out", join(project.folder, "www"), ...more);
  return project;
}
