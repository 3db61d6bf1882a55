"use strict";
(() => {
  const root = document.documentElement;
  const KEY = "labspec-theme";
  const darkHere = matchMedia("(prefers-color-scheme: dark)");
  const kept = (() => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // no storage for files here: the system decides
    }
  })();
  root.classList.add("js");
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : darkHere.matches);

  const setUpTheme = () => {
    const button = document.querySelector("button.theme");
    const tell = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      tell();
      try {
        localStorage.setItem(KEY, root.dataset.theme);
      } catch {
        return; // chosen for this visit
      }
    });
    darkHere.addEventListener("change", tell);
    tell();
  };

  const say = (text) => {
    const spoken = document.querySelector(".spoken");
    spoken.textContent = "";
    requestAnimationFrame(() => (spoken.textContent = text));
  };

  const copyByHand = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("not copied");
  };

  const copy = async (button) => {
    const words = document.body.dataset;
    const text = button.closest(".command, .box").querySelector("code").textContent;
    const label = button.querySelector("span");
    const before = label.textContent;
    let told = words.copied;
    try {
      if (navigator.clipboard) await navigator.clipboard.writeText(text);
      else copyByHand(text);
    } catch {
      told = words.notCopied;
    }
    if (!button.classList.contains("done")) {
      button.classList.add("done");
      label.textContent = told;
      setTimeout(() => {
        label.textContent = before;
        button.classList.remove("done");
      }, 1800);
    }
    button.focus();
    say(told);
  };

  const cutLong = (box, number) => {
    const output = box.querySelector("pre");
    const button = document.createElement("button");
    output.id = `output-${number}`;
    button.type = "button";
    button.className = "all";
    button.textContent = box.dataset.showAll;
    button.setAttribute("aria-controls", output.id);
    button.setAttribute("aria-expanded", "false");
    box.classList.add("cut");
    button.addEventListener("click", () => {
      const open = !box.classList.toggle("cut");
      button.textContent = open ? document.body.dataset.showLess : box.dataset.showAll;
      button.setAttribute("aria-expanded", String(open));
      if (!open) output.scrollTop = 0;
    });
    box.append(button);
  };

  // What scrolls sideways must be reached by keyboard; what does not must not be in the way.
  const markScrolling = () => {
    for (const box of document.querySelectorAll(".wide")) {
      const scrolls = box.scrollWidth > box.clientWidth + 1;
      if (scrolls) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", box.dataset.label || "");
      } else {
        for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
      }
    }
  };

  const followReading = () => {
    const links = new Map([...document.querySelectorAll("nav.contents a")].map((link) => [link.hash.slice(1), link]));
    const parts = [...document.querySelectorAll("main > .part")];
    let waiting = false;
    const mark = () => {
      waiting = false;
      const atEnd = innerHeight + scrollY >= root.scrollHeight - 2;
      const above = parts.filter((part) => part.getBoundingClientRect().top < innerHeight * 0.3);
      const current = atEnd ? parts.at(-1) : (above.at(-1) ?? parts[0]);
      for (const [id, link] of links) {
        if (current && id === current.id) link.setAttribute("aria-current", "location");
        else link.removeAttribute("aria-current");
      }
    };
    addEventListener(
      "scroll",
      () => {
        if (!waiting) requestAnimationFrame(mark);
        waiting = true;
      },
      { passive: true },
    );
    mark();
  };

  const setUpContents = () => {
    const contents = document.querySelector("nav.contents details");
    if (!contents) return;
    const beside = matchMedia("(min-width: 68rem)");
    const fit = () => (contents.open = beside.matches);
    beside.addEventListener("change", fit);
    fit();
    contents.addEventListener("click", (event) => {
      if (event.target.closest("a") && !beside.matches) contents.open = false;
    });
  };

  // A link into a hint opens it.
  const openTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };

  const openForPrinting = () => {
    let opened = [];
    addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("details:not([open])")];
      for (const each of opened) each.open = true;
    });
    addEventListener("afterprint", () => {
      for (const each of opened) each.open = false;
    });
  };

  addEventListener("DOMContentLoaded", () => {
    setUpTheme();
    setUpContents();
    document.querySelectorAll(".output.long").forEach(cutLong);
    for (const button of document.querySelectorAll("button.copy")) button.addEventListener("click", () => copy(button));
    followReading();
    openTarget();
    addEventListener("hashchange", openTarget);
    openForPrinting();
    markScrolling();
    addEventListener("resize", markScrolling);
    document.addEventListener("toggle", markScrolling, true);
  });
})();
