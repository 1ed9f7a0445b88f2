// Whether the reactor, or a compiled model, has a model that may be run.

import { startState } from "../state";

export let loaded: bool = false;

/** Says whether there is a model, whose stream then starts anew. */
export function setLoaded(yes: bool): void {
  loaded = yes;
  if (yes) startState();
}
