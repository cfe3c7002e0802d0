// The operator's page: one long poll brings every change, one form takes the result.

import { ask, Fault, token } from "./api.js";
import { Caller } from "./caller.js";
import { ResultForm } from "./form.js";
import { $, showFault, showMe, showTimer } from "./show.js";

const POLL_S = 25;
const RETRY_MS = 2000;
const OFFER = ["dial", "skip"]; // say which offered case they mean

let me = null;
let receivedAt = 0;
let offered = null; // the outcomes of the contract, as last asked
let names = {};
let learnedFor = "null"; // whose outcomes those are
let form = null;
let saved = null; // the result of a call saved last: {title, body}
const caller = new Caller((path, body) => act(`callback/${path}`, "POST", body), fault);

function take(news) {
  if (me && news.rev < me.rev) return; // an older answer that arrived late
  me = news;
  receivedAt = performance.now();
  draw();
  const talk = Boolean(me.call ?? me.callback);
  $("#correct").disabled = talk; // one form: the talk goes first
  if (talk || !form.correcting) form.open(subject(me));
}

function draw() {
  showMe(me, names);
  caller.show(me.callback, names);
}

// What a result is of, by the ids the service knows it by; a caller's case once it is identified.
function subject({ call, callback }) {
  if (call) return { attempt_id: call.attempt_id };
  return callback
    ? { callback_id: callback.callback_id, case_id: callback.case?.case_id } : null;
}

// Another case may be of another contract, and another day may have brought a change.
async function learnAgain() {
  const now = JSON.stringify(subject(me));
  if (now === learnedFor) return;
  if (subject(me)) await learn();
  learnedFor = now;
}

async function learn() {
  const now = await ask("GET", "/api/outcomes");
  if (JSON.stringify(now) === JSON.stringify(offered)) return;
  offered = now;
  names = now.labels;
  if (form) form.offer(now);
  else form = new ResultForm(now);
  if (me) draw(); // by the names just learned
}

async function poll() {
  while (token.get()) {
    try {
      take(await ask("GET", `/api/me?since=${me.rev}&wait=${POLL_S}`));
      await learnAgain();
      if ($("#fault").dataset.from === "poll") fault(null);
    } catch (error) {
      if (error.status === 401) return signOut();
      fault(error, "poll");
      await new Promise((resume) => setTimeout(resume, RETRY_MS));
    }
  }
}

function fault(error, from = "") {
  if (error && !(error instanceof Fault)) throw error;
  showFault(error?.message);
  $("#fault").dataset.from = from;
}

async function act(action, method = "POST", body = undefined) {
  try {
    take(await ask(method, `/api/${action}`, body));
    await learnAgain();
    fault(null);
  } catch (error) {
    fault(error);
  }
}

// How far the talk is: it foretells when the operator will be free. Nothing is lost with one that does
// not arrive, so nobody is told.
async function onStep(event) {
  if (me.state !== "talking") return;
  const boxes = [...document.querySelectorAll("#steps input")];
  const step = { step: boxes.indexOf(event.target), done: event.target.checked };
  try {
    take(await ask("POST", "/api/progress", step));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
}

async function save(event) {
  event.preventDefault();
  const body = form.body();
  const title = form.correcting ? saved.title : (me.call ?? me.callback?.case)?.reference ?? "";
  const [method, path] = saving(body);
  $("#save").disabled = true;
  try {
    const news = await ask(method, path, body);
    remember({ title, body });
    form.clear();
    form.open(null);
    take(news);
    fault(null);
  } catch (error) {
    fault(error);
    form.wrong(error.field);
  } finally {
    $("#save").disabled = false;
  }
}

function saving(body) {
  if (body.callback_id) return [form.correcting ? "PUT" : "POST", "/api/callback/result"];
  return form.correcting ? ["PUT", `/api/result/${body.attempt_id}`] : ["POST", "/api/result"];
}

function remember(result) {
  $("#last").hidden = false;
  saved = result;
  $("#last span").textContent = `直前の結果: ${saved.title} ${names[saved.body.outcome] ?? ""}`;
}

function onKey(event) {
  if (event.key === "Enter" && event.ctrlKey && !$("#result").hidden) {
    event.preventDefault();
    $("#result").requestSubmit();
    return;
  }
  const button = document.querySelector(`[data-key="${event.key}"]`);
  if (button && !event.repeat) {
    event.preventDefault();
    button.click();
  }
}

async function start() {
  $("#sign-in").hidden = Boolean(token.get());
  $("#desk").hidden = true;
  if (!token.get()) return;
  try {
    await learn();
    take(await ask("GET", "/api/me"));
  } catch (error) {
    if (error.status === 401) token.drop();
    $("#sign-in").hidden = false;
    window.alert(error.message);
    return;
  }
  $("#desk").hidden = false;
  poll();
}

function signOut() {
  token.drop();
  location.reload();
}

$("#sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  token.set($("#token").value.trim());
  $("#token").value = "";
  start();
});
for (const button of document.querySelectorAll("[data-action]")) {
  button.textContent += ` (${button.dataset.key})`;
  const { action } = button.dataset;
  button.addEventListener("click", () => act(action, "POST", OFFER.includes(action)
    ? { attempt_id: me.preview.attempt_id } : undefined));
}
$("#sign-out").addEventListener("click", async () => {
  await act("pause"); // no call may come to a telephone whose screen is gone
  signOut();
});
$("#break-announce").addEventListener(
  "click", () => act("break", "POST", { in_s: 60 * Number($("#break-min").value) }));
$("#break-off").addEventListener("click", () => act("break", "DELETE"));
$("#steps").addEventListener("change", onStep);
$("#result").addEventListener("submit", save);
$("#correct").addEventListener("click", () => form.correct(saved));
document.addEventListener("keydown", onKey);
setInterval(() => me && showTimer(me, performance.now() - receivedAt), 500);
start();
