// Where the bench's files are. A file has the same address, "/place/path", in Node and in a page: Node finds
// it on disk through `pathOf`, a page gets it from engines/server.mjs.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** what the bench installs and makes; ignored by git, deleted without harm */
export const OWN = `${ROOT}.bench/`;

const PLACES = {
  bench: `${ROOT}test/bench/`,
  dist: `${ROOT}dist/`,
  made: `${OWN}made/`,
  packages: `${OWN}node_modules/`,
  peers: `${ROOT}../shared/peers/`,
};

export const pathOf = (address) => {
  const [, place, path] = /^\/(\w+)\/(.*)$/.exec(address) ?? [];
  if (!PLACES[place] || path.split("/").includes("..")) throw new Error(`No such place: ${address}`);
  return PLACES[place] + path;
};

export const exists = (address) => existsSync(pathOf(address));
