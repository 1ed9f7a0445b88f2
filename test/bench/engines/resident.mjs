// Resident memory of processes that an engine started, from /proc; 0 where there is none.
import { readdirSync, readFileSync } from "node:fs";

/** MiB of the largest process below `ancestor` whose command line has `mark`; of `what`, as /proc's status names it. */
export function residentMiB(ancestor, mark, what = "VmRSS") {
  const parents = new Map();
  const marked = [];
  for (const pid of listProcesses()) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      parents.set(pid, Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(mark)) marked.push(pid);
    } catch {
      // it ended meanwhile
    }
  }
  const isBelow = (pid) => pid > 1 && (pid === ancestor || isBelow(parents.get(pid) ?? 0));
  return Math.max(0, ...marked.filter(isBelow).map((pid) => ownMiB(pid, what)));
}

function listProcesses() {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function ownMiB(pid, what) {
  try {
    return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
  } catch {
    return 0;
  }
}
