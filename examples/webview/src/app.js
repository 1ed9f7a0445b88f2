// The page: three panels of which one is shown, the service worker, and what happens when the page rests.
import * as digit from "./digit.js";
import * as keyword from "./keyword.js";
import { keepForLater, showProblem } from "./models.js";
import * as person from "./person.js";

const PANELS = { digit, keyword, person };
const tabs = [...document.querySelectorAll("[role=tab]")];
let shown = "digit";

function show(name) {
  if (name === shown) return;
  showProblem();
  PANELS[shown].stop();
  for (const tab of tabs) {
    const isShown = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(isShown));
    tab.tabIndex = isShown ? 0 : -1;
  }
  for (const panel of Object.keys(PANELS)) document.getElementById(panel).hidden = panel !== name;
  shown = name;
  PANELS[name].resume?.();
}

for (const [i, tab] of tabs.entries()) {
  tab.addEventListener("click", () => show(tab.id.slice("tab-".length)));
  tab.addEventListener("keydown", ({ key }) => {
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[key];
    if (to === undefined) return;
    const next = tabs[(to + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });
}

// a page that nobody sees must not hold a microphone or a camera
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden" && shown !== "digit") PANELS[shown].stop();
});

keyword.start();
person.start();
try {
  await digit.start();
  performance.mark("first-result");
  document.documentElement.dataset.ready = "true";
} catch (error) {
  showProblem(error);
}
// only now: nothing of this is needed for the first answer
if ("serviceWorker" in navigator) {
  await navigator.serviceWorker.register("service-worker.js").catch(() => undefined);
  await keepForLater();
  await navigator.serviceWorker.ready.catch(() => undefined);
  document.documentElement.dataset.offline = "true";
}
