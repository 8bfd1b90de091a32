// Choosing a part of the heatmap, with a pointer or with the keyboard; the address then names it.

function start() {
  const chart = document.querySelector(".chart");
  const plot = chart?.querySelector(".plot");
  if (!plot || plot.dataset.ready) return;
  plot.dataset.ready = "yes";
  document.querySelector("[data-help]").hidden = false;
  const svg = plot.querySelector("svg");
  const times = chart.dataset.times.split(",");
  const lengths = chart.dataset.lengths.split(",");
  const columns = times.length - 1, rows = lengths.length - 1;
  const chosen = svg.querySelector(".chosen"), cursor = svg.querySelector(".cursor");
  let from = null, to = null; // cells [column, row], the row counted from the bottom
  let dragging = false;

  const within = (value, most) => Math.min(most - 1, Math.max(0, Math.floor(value)));

  function cell(event) {
    const area = svg.getBoundingClientRect();
    return [
      within(((event.clientX - area.left) / area.width) * columns, columns),
      within((1 - (event.clientY - area.top) / area.height) * rows, rows),
    ];
  }

  function place(rect, one, other) {
    const x = Math.min(one[0], other[0]), y = rows - 1 - Math.max(one[1], other[1]);
    rect.setAttribute("x", x);
    rect.setAttribute("y", y);
    rect.setAttribute("width", Math.abs(one[0] - other[0]) + 1);
    rect.setAttribute("height", Math.abs(one[1] - other[1]) + 1);
  }

  function clear(rect) {
    rect.setAttribute("width", 0);
    rect.setAttribute("height", 0);
  }

  function fields() {
    const left = Math.min(from[0], to[0]), right = Math.max(from[0], to[0]) + 1;
    const low = Math.min(from[1], to[1]), high = Math.max(from[1], to[1]) + 1;
    return { from: times[left], to: times[right], low: lengths[low], high: lengths[high] };
  }

  function look(hash) {
    const form = document.querySelector("[data-region]");
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of Object.entries(fields())) query.set(name, value);
    for (const [name, value] of [...query]) if (!value) query.delete(name, value);
    location.assign(`${form.getAttribute("action")}?${query}${hash}`);
  }

  function say() {
    document.querySelector("[data-said]").textContent = Object.values(fields()).join(" to ").replace(/Z to (?=[\d.]+ to)/, "Z, ") + " ms";
  }

  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    plot.focus({ preventScroll: true });
    plot.setPointerCapture(event.pointerId);
    from = to = cell(event);
    dragging = true;
    clear(cursor);
    place(chosen, from, to);
  });
  plot.addEventListener("pointermove", (event) => {
    if (!dragging) return;
    to = cell(event);
    place(chosen, from, to);
  });
  plot.addEventListener("pointerup", () => {
    if (!dragging) return;
    dragging = false;
    look("");
  });
  plot.addEventListener("pointercancel", () => {
    dragging = false;
    clear(chosen);
  });

  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  plot.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = steps[event.key];
    if (step) {
      if (!to) from = to = [Math.floor(columns / 2), Math.floor(rows / 2)];
      else to = [within(to[0] + step[0], columns), within(to[1] + step[1], rows)];
      if (!event.shiftKey) from = to;
      place(chosen, from, to);
      place(cursor, to, to);
      say();
    } else if (event.key === "Enter" && to) {
      look("#part"); // whoever has no pointer goes on reading there
    } else if (event.key === "Escape" && to) {
      from = to = null;
      clear(chosen);
      clear(cursor);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
}

document.addEventListener("swapped", start);
start();
