// Times in the viewer's own time zone; without this script they are UTC.

const two = (number) => String(number).padStart(2, "0");
const clock = (at) => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
const day = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
const part = (at) => `.${String(at.getMilliseconds()).padStart(3, "0")}`;

const ages = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function ago(at) {
  const past = (Date.now() - at) / 1000;
  const found = ages.find(([seconds]) => past >= seconds);
  return found ? `${Math.floor(past / found[0])} ${found[1]} ago` : "now";
}

function tell(element) {
  const at = new Date(element.dateTime);
  if (Number.isNaN(at.getTime())) return;
  const as = element.dataset.as;
  if (as === "ago") {
    element.textContent = ago(at);
  } else if (as === "clock") {
    const today = day(at) === day(new Date());
    element.textContent = today ? clock(at) + part(at) : `${day(at).slice(5)} ${clock(at)}`;
  } else {
    element.textContent = `${day(at)} ${clock(at)}${part(at)}`;
  }
}

export function localTimes(root) {
  for (const element of root.querySelectorAll("time[data-as]")) tell(element);
  for (const text of root.querySelectorAll("text[data-time]")) {
    const at = new Date(text.dataset.time);
    text.textContent = text.dataset.wide ? `${day(at).slice(5)} ${clock(at).slice(0, 5)}` : clock(at).slice(0, "exact" in text.dataset ? 8 : 5);
  }
}

export function keepAges() {
  setInterval(() => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll('time[data-as="ago"]')) tell(element);
  }, 1000);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const told = document.querySelector("[data-zone]");
  if (told) told.textContent = `Times are in your time zone${zone ? `, ${zone}` : ""}; hold the pointer over one for UTC.`;
}
