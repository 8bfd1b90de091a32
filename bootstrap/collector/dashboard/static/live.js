// What arrives shows by itself: the stream says that there is something, the page's own address has it.

import { localTimes } from "./times.js";

const SOONEST = 1000; // ms between two looks
const READING = 8000; // ms for which a list stands still under a pointer
const POLL = 3000; // ms, where there is no stream

export function live(button, changed) {
  const place = document.getElementById("live");
  if (!button || !place) return;
  let on = sessionGet() !== "off";
  let source = null, timer = 0, poller = 0, looked = 0, cost = 0, waiting = 0, busy = false, touched = 0;

  const words = button.querySelector("span");
  button.hidden = false;

  function show(state, text) {
    button.dataset.state = state;
    button.setAttribute("aria-pressed", String(on));
    if (words.textContent !== text) words.textContent = text;
    button.title = on ? "Stop showing what arrives (p)" : "Show what arrives (p)";
  }

  function reads() {
    const held = document.activeElement;
    const inside = held && held !== document.body && place.contains(held);
    const selecting = !document.getSelection().isCollapsed && place.contains(document.getSelection().anchorNode);
    return inside || selecting || (place.matches(":hover") && Date.now() - touched < READING);
  }

  function soon() {
    if (!on || timer || document.hidden) return;
    const pause = Math.max(SOONEST, 4 * cost) - (Date.now() - looked);
    timer = setTimeout(look, Math.max(100, pause));
  }

  function later() {
    show("waiting", waiting > 1 ? `${waiting} new` : "Paused");
    timer = timer || setTimeout(look, SOONEST);
  }

  async function look() {
    timer = 0;
    if (!on || document.hidden) return;
    if (busy) { timer = setTimeout(look, 100); return; }
    if (reads()) return later();
    busy = true;
    looked = Date.now();
    const address = new URL(location.href);
    address.hash = "";
    address.searchParams.set("fragment", "live");
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" } });
      const html = await answer.text();
      if (answer.status === 401) location.reload();
      if (on && reads()) later(); // meanwhile somebody has begun to
      else {
        if (answer.ok && on) swap(html);
        waiting = 0;
        if (on) show("on", "Live");
      }
    } catch {
      if (on) {
        show("waiting", "Offline");
        timer = timer || setTimeout(look, POLL);
      }
    }
    cost = Date.now() - looked;
    busy = false;
  }

  function swap(html) {
    const open = new Set([...place.querySelectorAll("details[open][id]")].map((each) => each.id));
    const known = new Set([...place.querySelectorAll("[id]")].map((each) => each.id));
    const made = new DOMParser().parseFromString(html, "text/html").body;
    for (const each of made.querySelectorAll("tr[id], details[id]")) {
      if (open.has(each.id)) each.open = true;
      if (known.size && !known.has(each.id)) each.classList.add("new");
    }
    localTimes(made);
    place.replaceChildren(...made.childNodes);
    changed();
  }

  function listen() {
    stop();
    if (!on || document.hidden) return;
    const address = new URL("/api/stream", location.href);
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (value && name !== "after" && name !== "limit" && name !== "last") address.searchParams.append(name, value);
    }
    address.searchParams.set("kinds", button.dataset.live);
    source = new EventSource(address);
    const arrived = () => { waiting += 1; soon(); };
    for (const name of ["trace", "log", "item", "skipped"]) source.addEventListener(name, arrived);
    source.addEventListener("open", () => {
      clearInterval(poller);
      poller = 0;
      show("on", "Live");
      soon(); // what has arrived since the page was made, or the stream broke, is told by nobody
    });
    source.addEventListener("error", () => {
      // Closed for good: there is no stream, or no room in it. Otherwise the browser tries again by itself.
      if (source.readyState === EventSource.CLOSED && !poller) { soon(); poller = setInterval(soon, POLL); }
      else if (source.readyState !== EventSource.CLOSED) show("waiting", "Offline");
    });
  }

  function stop() {
    if (source) source.close();
    source = null;
    clearTimeout(timer);
    clearInterval(poller);
    timer = poller = 0;
  }

  function turn() {
    on = !on;
    sessionSet(on ? "on" : "off");
    waiting = 0;
    show(on ? "on" : "off", on ? "Live" : "Off");
    if (on) listen(); else stop();
  }

  button.addEventListener("click", turn);
  for (const name of ["pointermove", "pointerdown", "wheel"]) {
    place.addEventListener(name, () => { touched = Date.now(); }, { passive: true });
  }
  document.addEventListener("visibilitychange", () => {
    // A browser has few connections for one server: a page that nobody sees keeps none.
    if (document.hidden) stop();
    else listen();
  });
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  show(on ? "on" : "off", on ? "Live" : "Off");
  listen();
}

function sessionGet() {
  try { return sessionStorage.getItem("live"); } catch { return null; }
}

function sessionSet(value) {
  try { sessionStorage.setItem("live", value); } catch { /* a browser that keeps nothing */ }
}
