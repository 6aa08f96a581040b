// Counts down to the expiry of each hold. The server decides; this only tells.

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
