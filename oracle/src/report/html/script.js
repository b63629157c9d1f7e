"use strict";
// Steps through findings and the lines of their proofs. The page is whole without it: this only moves a mark about.
// A place is the id of a finding (r1-f2) or of a line of its proof (r1-f2-s3), and the fragment of the address names it.
(() => {
  const findings = [...document.querySelectorAll(".finding")];
  const status = document.getElementById("status");
  const stepsOf = (finding) => [...finding.querySelectorAll(".proof li[data-line]")];
  const currentFinding = () => document.querySelector(".finding.current");
  const currentStep = () => document.querySelector(".proof li.current");

  const unmark = () => {
    document.querySelectorAll(".current").forEach((element) => element.classList.remove("current"));
    document.querySelectorAll("[aria-current]").forEach((element) => element.removeAttribute("aria-current"));
  };

  // Marks a finding and, where there is one, a line of its proof with everything that stands on the same line.
  const show = (target, focus) => {
    const finding = target.closest(".finding");
    unmark();
    finding.classList.add("current");
    const entry = document.querySelector(`.index a[href="#${finding.id}"]`);
    if (entry) {
      entry.setAttribute("aria-current", "true");
      entry.scrollIntoView({ block: "nearest" });
    }
    if (target !== finding) {
      target.setAttribute("aria-current", "step");
      finding.querySelectorAll(`[data-line="${target.dataset.line}"]`).forEach((element) => {
        element.classList.add("current");
        const frame = element.closest(".scroll");
        if (frame) bringInto(frame, element);
      });
      status.textContent = target.textContent;
    } else {
      status.textContent = finding.querySelector("h2").textContent;
    }
    if (focus) {
      target.focus({ preventScroll: true });
      target.scrollIntoView({ block: target === finding ? "start" : "nearest" });
    }
  };

  // Scrolls a frame, and not the page, until the element is in sight.
  const bringInto = (frame, element) => {
    const inner = element.getBoundingClientRect();
    const outer = frame.getBoundingClientRect();
    if (inner.top < outer.top || inner.bottom > outer.bottom) frame.scrollTop += inner.top - outer.top - outer.height / 3;
    if (inner.left < outer.left || inner.right > outer.right) frame.scrollLeft += inner.left - outer.left - outer.width / 3;
  };

  const go = (target) => {
    if (!target) return;
    history.replaceState(null, "", `#${target.id}`);
    show(target, true);
  };

  const stepFinding = (by) => {
    const at = findings.indexOf(currentFinding());
    go(findings[at < 0 ? 0 : Math.min(Math.max(at + by, 0), findings.length - 1)]);
  };

  // Forwards from the last line of a proof comes the next finding's first line, and backwards likewise.
  const stepEvent = (by) => {
    const all = findings.flatMap(stepsOf);
    const step = currentStep();
    const finding = currentFinding();
    if (step) return go(all[Math.min(Math.max(all.indexOf(step) + by, 0), all.length - 1)]);
    return go(finding ? stepsOf(finding)[by > 0 ? 0 : stepsOf(finding).length - 1] : all[0]);
  };

  const changeTheme = () => {
    const root = document.documentElement;
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
  };

  const fromAddress = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target && target.closest(".finding")) show(target, true);
  };

  const keys = {
    j: () => stepFinding(1), k: () => stepFinding(-1),
    n: () => stepEvent(1), p: () => stepEvent(-1), ArrowRight: () => stepEvent(1), ArrowLeft: () => stepEvent(-1),
    t: changeTheme,
  };
  document.addEventListener("keydown", (event) => {
    const isScrolling = event.key.startsWith("Arrow") && event.target.closest(".scroll, pre");
    if (event.ctrlKey || event.metaKey || event.altKey || isScrolling || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.addEventListener("click", (event) => {
    const step = event.target.closest(".proof li[data-line]");
    if (step && !String(getSelection())) {
      event.preventDefault();
      go(step);
    }
  });
  document.getElementById("next").addEventListener("click", () => stepEvent(1));
  document.getElementById("previous").addEventListener("click", () => stepEvent(-1));
  document.getElementById("theme").addEventListener("click", changeTheme);
  addEventListener("hashchange", fromAddress);
  fromAddress();
})();
