// The version that goes into a model's provenance. Invariant: equals package.json's.

export const VERSION = "0.1.0";
export const PACKED_BY = `mote-runtime ${VERSION}`;
