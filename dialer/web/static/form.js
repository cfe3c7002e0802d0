// The result form: which entries an outcome needs, and what is sent.

import { $, element } from "./show.js";

const MARKS = ["script_finished", "same_household", "offered"];

export class ResultForm {
  constructor(offered) {
    this.form = $("#result");
    this.subject = null; // of which call, or caller and case, the form is: ids as sent; null: of none
    this.correcting = false;
    this.offer(offered);
    this.form.addEventListener("change", () => this.adapt());
    $("#steps").addEventListener("change", () => this.tick());
  }

  offer(offered) {
    this.outcomes = Object.fromEntries(offered.outcomes.map((one) => [one.code, one]));
    this.offerOutcomes();
    $("#talk-results").replaceChildren(...offered.talk_results.map(
      (one) => choice("checkbox", "talk_results", one.code, one.label)));
    this.form.elements.escalate.replaceChildren(
      option("", "求めない"), ...offered.criteria.map((one) => option(one.id, one.label)));
    $("#escalate").hidden = offered.criteria.length === 0;
    $("#steps").replaceChildren(...offered.script.map((one) => element("li", "", step(one))));
    this.adapt();
  }

  // Of a callback only some outcomes can be recorded.
  offerOutcomes() {
    const offered = Object.values(this.outcomes).filter((one) => one.callback || !this.ofCallback());
    $("#outcomes").replaceChildren(...offered.map(
      (one) => choice("radio", "outcome", one.code, one.clause ? `${one.label} (${one.clause})` : one.label)));
  }

  ofCallback() {
    return Boolean(this.subject?.callback_id);
  }

  open(subject) {
    if (JSON.stringify(this.subject) === JSON.stringify(subject) && !this.correcting) return;
    this.begin(subject);
    $("#result-title").textContent = this.ofCallback() ? "折り返し電話の結果" : "架電結果";
    this.form.hidden = subject === null || (this.ofCallback() && !subject.case_id);
  }

  begin(subject) {
    const sameTalk = this.ofCallback() && subject?.callback_id === this.subject.callback_id;
    this.subject = subject;
    this.offerOutcomes();
    this.clear({ steps: !sameTalk });
    this.tick();
  }

  correct(saved) {
    const { attempt_id, callback_id, case_id } = saved.body;
    this.begin(callback_id ? { callback_id, case_id } : { attempt_id });
    this.correcting = true;
    const what = callback_id ? "折り返し電話の結果" : "架電結果";
    $("#result-title").textContent = `${what}の訂正: ${saved.title}`;
    this.form.hidden = false;
    this.fill(saved.body);
  }

  clear({ steps } = { steps: true }) {
    this.form.reset();
    this.correcting = false;
    if (steps) for (const box of document.querySelectorAll("#steps input")) box.checked = false;
    this.wrong(null);
    this.adapt();
  }

  fill(body) {
    for (const [name, value] of Object.entries({ ...body, ...body.promise })) {
      const entry = this.form.elements[name];
      if (name === "talk_results") this.check(name, value);
      else if (name === "outcome" || name === "scope") this.check(name, [value]);
      else if (name === "appointment" && value) entry.value = value.slice(0, 16);
      else if (MARKS.includes(name)) entry.checked = value;
      else if (entry && value !== null) entry.value = value;
    }
    this.adapt();
  }

  check(name, values) {
    for (const box of this.form.querySelectorAll(`[name="${name}"]`)) {
      box.checked = values.includes(box.value);
    }
  }

  picked(name) {
    return [...this.form.querySelectorAll(`[name="${name}"]:checked`)].map((box) => box.value);
  }

  part(field) {
    return this.form.querySelector(`[data-field="${field}"]`);
  }

  // Shows what the chosen outcome asks for.
  adapt() {
    const outcome = this.outcomes[this.picked("outcome")[0]];
    for (const mark of MARKS) {
      this.part(mark).classList.toggle("needed", Boolean(outcome?.needs.includes(mark)));
    }
    this.part("scope").hidden = !(outcome?.scopes.length > 1);
    this.part("appointment").hidden = !outcome?.appointment;
    $("#promise").hidden = !this.picked("talk_results").includes("promise");
  }

  tick() {
    const boxes = [...document.querySelectorAll("#steps input")];
    if (boxes.length && boxes.every((box) => box.checked)) {
      this.form.elements.script_finished.checked = true;
    }
  }

  body() {
    const entries = this.form.elements;
    const shown = (field) => !this.part(field).hidden;
    return {
      ...this.subject,
      outcome: this.picked("outcome")[0] ?? "",
      ...Object.fromEntries(MARKS.map((mark) => [mark, entries[mark].checked])),
      scope: shown("scope") ? this.picked("scope")[0] ?? null : null,
      // What is entered is Japan time, wherever the screen stands.
      appointment: shown("appointment") && entries.appointment.value
        ? `${entries.appointment.value}:00+09:00` : null,
      new_phone: entries.new_phone.value.normalize("NFKC").replace(/\D/g, "") || null,
      talk_results: this.picked("talk_results"),
      promise: shown("promise") && entries.due.value ? {
        due: entries.due.value,
        amount_yen: Number(entries.amount_yen.value),
        method: entries.method.value,
      } : null,
      escalate: Number(entries.escalate.value) || null,
      note: entries.note.value,
    };
  }

  wrong(field) {
    for (const part of this.form.querySelectorAll(".wrong")) part.classList.remove("wrong");
    const part = field && this.part(field.split(".")[0]);
    if (!part) return;
    part.hidden = false;
    part.classList.add("wrong");
    (part.querySelector("input, textarea, select") ?? part).focus();
  }
}

function choice(type, name, value, label) {
  const box = element("input");
  Object.assign(box, { type, name, value });
  return element("label", "", box, ` ${label}`);
}

function option(value, label) {
  const made = element("option", label);
  made.value = value;
  return made;
}

function step(one) {
  const box = element("input");
  box.type = "checkbox";
  const words = element("p", one.text);
  words.className = "approved";
  return element("label", "", box, element("strong", ` ${one.title}`), words);
}
