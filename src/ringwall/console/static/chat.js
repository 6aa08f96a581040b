// The chat page: sends a turn, shows the answer as it comes, then what each boundary did to it.
// Text goes in as text only. The panel is our own server's escaped HTML, parsed without running anything.

const page = document.getElementById("chat");
const { path, csrf, session } = page.dataset;
const log = document.getElementById("log");
const form = document.getElementById("ask");
const field = document.getElementById("message");
const send = document.getElementById("send");
const panel = document.getElementById("panel");
const confirming = document.getElementById("confirm");
const panelStatus = document.getElementById("panel-status");
const name = document.getElementById("talk-title").textContent;

// Characters that hide or reorder text are shown by their code, as the server does it. Joiners that scripts
// and emoji need stay.
const hiding = /(?![\n\t\u200c\u200d\ufe0f])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u2800\u3164\uffa0\ufe00-\ufe0e\u{e0100}-\u{e01ef}]/gu;
const visible = (text) =>
  text.replace(hiding, (char) => "␣U+" + char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0"));

function say(role, text) {
  const said = document.getElementById("said-template").content.firstElementChild.cloneNode(true);
  said.classList.add(role);
  said.querySelector(".by").textContent = role === "user" ? "You" : name;
  said.querySelector(".text").textContent = visible(text);
  log.append(said);
  log.scrollTop = log.scrollHeight;
  return said;
}

async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    pending += value;
    const whole = pending.split("\n");
    pending = whole.pop();
    for (const line of whole) if (line) yield JSON.parse(line);
  }
  if (pending.trim()) yield JSON.parse(pending);
}

async function sentence(response) {
  if (response.status === 401) return "You are signed out. Reload the page and sign in again.";
  try {
    return (await response.json()).error;
  } catch {
    return "The server did not answer as it should. Try again.";
  }
}

async function ask(question) {
  document.getElementById("suggestions")?.remove();
  document.querySelector("#flash .notice")?.remove();
  say("user", question);
  const said = say("assistant", "");
  said.classList.add("waiting");
  const text = said.querySelector(".text");
  send.disabled = true;
  panel.setAttribute("aria-busy", "true");
  let answer = "";
  let turn = "";
  const looking = setInterval(waiting, 2500);
  try {
    const response = await fetch(path + "/turn", {
      method: "POST",
      headers: { "content-type": "application/json", "x-csrf-token": csrf },
      body: JSON.stringify({ messages: [{ role: "user", content: question }], session }),
    });
    if (!response.ok) throw new Error(await sentence(response));
    let ended = false;
    for await (const event of lines(response)) {
      if (event.type === "delta") {
        answer += event.text;
        text.textContent = visible(answer);
      } else if (event.type === "final") {
        ended = true;
        turn = event.turn;
        finish(said, event);
      } else {
        turn = event.turn;
        throw new Error(event.message);
      }
      log.scrollTop = log.scrollHeight;
    }
    if (!ended) throw new Error("The answer broke off. Ask again.");
  } catch (error) {
    said.classList.add("broken");
    text.textContent = visible(error.message || "The server can't be reached. Try again.");
  } finally {
    clearInterval(looking);
    said.classList.remove("waiting");
    send.disabled = false;
    panel.removeAttribute("aria-busy");
  }
  await waiting();
  if (turn) await explain(turn, offer(said, turn));
  log.scrollTop = log.scrollHeight;
}

function finish(said, event) {
  said.querySelector(".text").textContent = visible(event.text);
  const badge = { blocked: "badge-block", held: "badge-hold" }[event.finish];
  if (!badge) return;
  said.classList.add(event.finish);
  said.querySelector(".by").append(" ", document.getElementById(badge).content.cloneNode(true));
}

function offer(said, turn) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.dataset.turn = turn;
  button.textContent = "What each boundary did";
  said.append(button);
  return button;
}

// Calls that wait for whoever asked: shown while an answer is awaited, and after it.
async function waiting() {
  const response = await fetch(`${path}/holds?c=${encodeURIComponent(session)}`).catch(() => null);
  if (!response?.ok) return;
  const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
  const told = [...parsed.body.querySelectorAll("section")];
  const shown = [...confirming.querySelectorAll("section")];
  const same = (one, other) => one.querySelector("h2").id === other.querySelector("h2").id && one.textContent === other.textContent;
  if (told.length === shown.length && told.every((one, index) => same(one, shown[index]))) return;
  confirming.replaceChildren(...told);
}

confirming.addEventListener("submit", async (event) => {
  if (!send.disabled) return; // nothing is being written: an ordinary form
  event.preventDefault();
  for (const button of confirming.querySelectorAll("button")) button.disabled = true;
  await fetch(event.target.action, { method: "POST", body: new URLSearchParams(new FormData(event.target)) }).catch(() => null);
  await waiting();
});

async function explain(turn, button) {
  const response = await fetch(`${path}/turns/${encodeURIComponent(turn)}`);
  if (!response.ok) {
    panelStatus.textContent = await sentence(response);
    return;
  }
  const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
  panel.replaceChildren(...parsed.body.childNodes);
  panel.scrollTop = 0;
  for (const other of log.querySelectorAll("button[data-turn]"))
    other.setAttribute("aria-pressed", String(other === button));
  panelStatus.textContent = "The panel shows what each boundary did to this turn.";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const question = event.submitter?.name === "suggestion" ? event.submitter.value : field.value;
  if (!question.trim() || send.disabled) return;
  field.value = "";
  field.focus();
  ask(question);
});

field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit(send);
});

log.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-turn]");
  if (button) explain(button.dataset.turn, button);
});

log.scrollTop = log.scrollHeight;
