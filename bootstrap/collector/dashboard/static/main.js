// What every page does beyond showing itself; without it they all work, and stand still.

import { keys } from "./keys.js";
import { live } from "./live.js";
import { keepAges, localTimes } from "./times.js";

function openTarget() {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = id && document.getElementById(id);
  if (!target) return;
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.querySelector("summary").focus({ preventScroll: true });
  }
  target.scrollIntoView({ block: "start" });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue; // only where the page came safely, or from this machine
  button.hidden = false;
  button.addEventListener("click", async () => {
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => { button.textContent = label; }, 1500);
  });
}

localTimes(document);
keepAges();
keys();
live(document.querySelector("[data-live]"), () => document.dispatchEvent(new Event("swapped")));
addEventListener("hashchange", openTarget);
openTarget();
