// The live feed: asks every two seconds for decisions newer than the newest shown. Stops while paused or hidden.

const EVERY_MS = 2000;
const KEEP = 200;
const body = document.getElementById("feed");
const state = document.getElementById("live-state");
const pause = document.getElementById("pause");
const template = document.getElementById("row").content.firstElementChild;
let newest = Number(body.dataset.newest);
let paused = false;
let unseen = 0;

const icon = (name) => document.getElementById("badge-" + name).content.firstElementChild.cloneNode(true);

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function row(decision) {
  const made = template.cloneNode(true);
  const [time, action, crossing, who, because, controls, took] = made.children;
  made.dataset.index = decision.index;
  time.firstElementChild.textContent = decision.time;
  time.firstElementChild.dateTime = decision.at;
  time.firstElementChild.title = decision.date + " UTC";
  action.replaceChildren(icon(decision.action));
  const link = crossing.querySelector("a");
  link.href = "/console/decisions/" + encodeURIComponent(decision.id);
  link.textContent = decision.kind;
  crossing.querySelector(".sub").textContent = decision.boundary;
  who.replaceChildren(decision.application, element("span", decision.subject, "sub"));
  because.replaceChildren();
  for (const control of decision.because) because.append(element("code", control), " ");
  for (const control of decision.failed) {
    const failed = icon("failed");
    failed.append(control + " failed");
    because.append(failed, " ");
  }
  if (decision.would !== decision.action)
    because.append(element("span", `would be ${decision.would_word} in enforce`, "sub"));
  controls.textContent = decision.controls;
  took.textContent = decision.elapsed;
  made.classList.add("fresh");
  return made;
}

function show(answer) {
  for (const decision of [...answer.decisions].reverse()) {
    newest = Math.max(newest, decision.index);
    body.prepend(row(decision));
  }
  while (body.children.length > KEEP) body.lastElementChild.remove();
  if (!answer.decisions.length) return;
  document.getElementById("empty").hidden = true;
  unseen = answer.decisions.length;
  const some = answer.more ? "Many new decisions, the latest are shown" : `${unseen} new decision${unseen > 1 ? "s" : ""}`;
  state.textContent = `Live. ${some}`;
}

async function poll() {
  if (paused || document.hidden) return;
  try {
    const query = new URLSearchParams(location.search);
    query.set("after", newest);
    if (newest < 0) query.delete("after");
    const response = await fetch("/console/decisions.json?" + query);
    if (response.status === 401) {
      stop("Signed out. Reload the page to sign in again.");
      return;
    }
    if (!response.ok) throw new Error();
    if (state.textContent.startsWith("Not")) state.textContent = "Live";
    if (!paused) show(await response.json());
  } catch {
    state.textContent = "Not live: the server can't be reached. Trying again.";
  }
}

function stop(why) {
  paused = true;
  pause.hidden = true;
  state.textContent = why;
}

async function turn() {
  await poll();
  setTimeout(turn, EVERY_MS);
}

if ("live" in body.dataset) {
  state.textContent = "Live";
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Go on" : "Pause";
    state.textContent = paused ? "Paused" : "Live";
    if (!paused) poll();
  });
  setTimeout(turn, EVERY_MS);
}
