// When a page should let go of memory: hidden for a while, frozen, put away for "back", or told by the shell around it
// that memory is short. Invariant: after the returned function was called, nothing of this listens any more.

/** A native shell sends this to the window when its system runs short of memory (README "Webviews"). */
const PRESSURE = "memorypressure";

/**
 * Calls `release` whenever memory should be let go of.
 *
 * @param releaseAfterMs how long the page must be hidden; Infinity for never
 * @returns stops listening; does nothing where there is no page
 */
export function watchPage(release: () => void, releaseAfterMs: number): () => void {
  if (typeof document === "undefined") return () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listening = new AbortController();
  const { signal } = listening;
  const onVisibility = (): void => {
    clearTimeout(timer);
    if (document.visibilityState === "hidden" && releaseAfterMs < Infinity) timer = setTimeout(release, releaseAfterMs);
  };
  document.addEventListener("visibilitychange", onVisibility, { signal });
  document.addEventListener("freeze", release, { signal });
  globalThis.addEventListener("pagehide", release, { signal });
  globalThis.addEventListener(PRESSURE, release, { signal });
  onVisibility();
  return () => {
    clearTimeout(timer);
    listening.abort();
  };
}
