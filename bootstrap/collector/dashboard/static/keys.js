// The keyboard: rows, pages, search, help.

const ROWS = ".list .cover, .tree summary, .along summary, .lines summary, .stack summary, .brief .cover";

function rows() {
  return [...document.querySelectorAll(ROWS)].filter((each) => each.checkVisibility?.() ?? true);
}

function move(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by));
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

function typing(target) {
  return target instanceof Element && target.closest("input, select, textarea, [contenteditable]") !== null;
}

export function keys() {
  const dialog = document.getElementById("keys");
  const help = document.querySelector("button.help");
  if (help) {
    help.hidden = false;
    help.addEventListener("click", () => dialog.showModal());
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && !dialog.open) {
      document.activeElement?.blur();
      return;
    }
    if (typing(event.target) || dialog.open) return;
    const page = document.querySelector(`nav [data-key="${CSS.escape(event.key)}"]`);
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "/") document.querySelector("[data-search]")?.focus();
    else if (event.key === "?") dialog.showModal();
    else if (event.key === "p") document.querySelector("[data-live]")?.click();
    else if (page) page.click();
    else return;
    event.preventDefault();
  });
}
