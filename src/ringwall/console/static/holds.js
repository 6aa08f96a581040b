// Counts down to the expiry of each hold, and lets keys do what the buttons do. The server decides.

const places = [...document.querySelectorAll("[data-expires]")];

function left(micros) {
  const seconds = Math.floor((Number(micros) / 1000 - Date.now()) / 1000);
  if (seconds <= 0) return "expired: reload the page";
  const minutes = Math.floor(seconds / 60);
  return minutes ? `expires in ${minutes} min ${String(seconds % 60).padStart(2, "0")} s` : `expires in ${seconds} s`;
}

function tick() {
  for (const place of places) {
    const told = left(place.dataset.expires);
    place.querySelector("span").textContent = told;
    if (told.startsWith("expired"))
      for (const button of place.closest("article").querySelectorAll("form button")) button.disabled = true;
  }
}

if (places.length) {
  tick();
  setInterval(tick, 1000);
}

const holds = [...document.querySelectorAll("[data-hold]")];

function go(step) {
  const at = holds.findIndex((hold) => hold.contains(document.activeElement));
  const next = at < 0 ? 0 : Math.min(holds.length - 1, Math.max(0, at + step));
  holds[next].focus();
  holds[next].scrollIntoView({ block: "nearest" });
}

function open(key) {
  const hold = holds.find((one) => one.contains(document.activeElement)) ?? (holds.length === 1 ? holds[0] : null);
  const chosen = hold?.querySelector(`details[data-key="${key}"]`);
  if (!chosen) return;
  for (const other of hold.querySelectorAll("details")) other.open = other === chosen;
  (chosen.querySelector("textarea") ?? chosen.querySelector("form button")).focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !holds.length) return;
  const shut = document.activeElement.closest?.("details[open]");
  if (event.key === "Escape" && shut) {
    shut.open = false;
    shut.querySelector("summary").focus();
    return;
  }
  if (document.activeElement.matches("input, textarea, select")) return;
  const act = { j: () => go(1), k: () => go(-1), a: () => open("a"), e: () => open("e"), r: () => open("r") }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
