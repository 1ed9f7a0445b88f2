// A stream's saved state (assembly/abi.ts, StateFile, draws it): the same bytes that the host's session.state saves and
// loads. Its header stands here by itself, its state where it is in the arena: no second copy.
// Invariant: after `checkState` refused, the stream is to be started anew before it runs.

import { Plan, StateFile } from "../abi";
import { address, base, field } from "../memory";
import { crc32c } from "./crc32c";
import { Exit } from "./exit";
import { fail } from "./message";

const ID_BYTES: usize = 16;

export const stateHeader: usize = memory.data(32, 4);

/** Bytes of the state without its header; 0 where the model keeps nothing between runs. */
export function stateBytes(): u32 {
  return <u32>field(base, Plan.StateBytes);
}

/** Where the state lies in the arena. */
export function stateAddress(): usize {
  return address(base, Plan.StateOffset);
}

/** Of the header, its own place as 0, and of the state. */
function checksum(): u32 {
  store<u32>(stateHeader, 0, StateFile.CrcOffset);
  return ~crc32c(crc32c(-1, stateHeader, StateFile.HeaderBytes), stateAddress(), stateBytes());
}

/** Makes the header that belongs before the state as it stands. */
export function makeHeader(): void {
  memory.fill(stateHeader, 0, StateFile.HeaderBytes);
  store<u32>(stateHeader, StateFile.Magic);
  store<u16>(stateHeader, StateFile.Version, StateFile.VersionOffset);
  memory.copy(stateHeader + StateFile.ModelIdOffset, base + Plan.ModelId * 4, ID_BYTES);
  store<u32>(stateHeader, stateBytes(), StateFile.BytesOffset);
  store<u32>(stateHeader, checksum(), StateFile.CrcOffset);
}

/** Judges a header and the state behind it, which were put in their places. */
export function checkState(): Exit {
  if (load<u32>(stateHeader) != StateFile.Magic)
    return fail(Exit.State, ascii("the state is no saved state: it does not start with MOST"));
  const version = <u32>load<u16>(stateHeader, StateFile.VersionOffset);
  if (version != StateFile.Version)
    return fail(Exit.State, ascii("the state has version %, and this program reads %"), version, StateFile.Version);
  for (let i: usize = 0; i < ID_BYTES; i += 4)
    if (load<u32>(stateHeader + i, StateFile.ModelIdOffset) != load<u32>(base + i, Plan.ModelId * 4))
      return fail(Exit.State, ascii("the state is another model's"));
  const sum = load<u32>(stateHeader, StateFile.CrcOffset);
  if (load<u32>(stateHeader, StateFile.BytesOffset) != stateBytes() || checksum() != sum)
    return fail(Exit.State, ascii("the state is damaged: it has another size or CRC"));
  return Exit.Done;
}
