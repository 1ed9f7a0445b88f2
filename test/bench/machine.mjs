// What runs the bench, and what else runs on it: a busy neighbour makes every time a guess.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const FLAGS = { avx2: "AVX2", avx_vnni: "AVX-VNNI", avx512_vnni: "AVX512-VNNI", asimddp: "dotprod", i8mm: "i8mm" };

export function describeMachine() {
  const { model } = cpus()[0] ?? { model: "unknown" };
  return {
    cpu: model.trim(),
    features: cpuFeatures(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
  };
}

function cpuFeatures() {
  try {
    const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))[1].split(" "));
    return Object.keys(FLAGS)
      .filter((flag) => flags.has(flag))
      .map((flag) => FLAGS[flag]);
  } catch {
    return [];
  }
}

export function programVersion(path, ...args) {
  try {
    return execFileSync(path, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

/**
 * How many cores others keep busy while this process only waits, and who.
 * @returns undefined where /proc does not tell
 */
export async function neighbours(ms = 400) {
  try {
    const before = ticks();
    const started = performance.now();
    await sleep(ms);
    const after = ticks();
    const spent = ((performance.now() - started) / 1000) * 100; // clock ticks of a core
    const busy = [...after]
      .map(([pid, { name, used }]) => ({ name, cores: (used - (before.get(pid)?.used ?? used)) / spent, pid }))
      .filter(({ cores, pid }) => cores > 0.02 && pid !== process.pid)
      .sort((a, b) => b.cores - a.cores);
    return { load: loadavg()[0], cores: busy.reduce((sum, { cores }) => sum + cores, 0), names: busy.map(nameOf) };
  } catch {
    return undefined;
  }
}

const nameOf = ({ name, cores }) => `${name} ${Math.round(cores * 100)} %`;

/** Clock ticks that every process has used. */
function ticks() {
  const used = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const end = stat.lastIndexOf(")");
      const fields = stat.slice(end + 2).split(" ");
      used.set(Number(pid), {
        name: stat.slice(stat.indexOf("(") + 1, end),
        used: Number(fields[11]) + Number(fields[12]),
      });
    } catch {
      // it ended meanwhile
    }
  }
  return used;
}
