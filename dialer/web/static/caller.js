// Somebody called us: who they may be, whom the operator identified, and an end without a case.

import { ask, Fault } from "./api.js";
import { $, callWords, clock, element, moment } from "./show.js";

const STATUS = {
  open: "未完了",
  complete: "完了済み",
  escalated: "市の判断待ち",
  stopped: "架電停止",
  paid: "納付確認済み",
};

export class Caller {
  // act(path, body): asks the service and shows what it says; fault(error): tells the operator
  constructor(act, fault) {
    this.act = act;
    this.fault = fault;
    this.callback = null; // on the screen
    this.found = null; // what the last search found
    this.again = false; // identification is done once more
    $("#search").addEventListener("submit", (event) => this.search(event));
    $("#close-callback").addEventListener("submit", (event) => this.close(event));
    $("#identify-again").addEventListener("click", () => {
      this.again = true;
      this.draw();
    });
  }

  show(callback, names) {
    if (callback?.callback_id !== this.callback?.callback_id) this.forget();
    else if (callback?.case?.case_id !== this.callback?.case?.case_id) this.again = false;
    this.callback = callback;
    this.names = names;
    this.draw();
  }

  forget() {
    this.found = null;
    this.again = false;
    $("#search").reset();
    $("#close-callback").reset();
    $("#close-callback").closest("details").open = false;
  }

  draw() {
    const { callback } = this;
    $("#caller").hidden = !callback;
    if (!callback) return;
    const asking = !callback.case || this.again;
    $("#caller-facts").replaceChildren(...facts(callback));
    $("#identify").hidden = !asking;
    $("#identify-again").hidden = asking;
    $("#candidates-hint").textContent = hint(callback);
    $("#candidates").replaceChildren(...(callback.candidates ?? []).map((one) => this.brief(one)));
    $("#found").replaceChildren(...(this.found?.cases ?? []).map((one) => this.brief(one)));
    $("#found-hint").textContent = foundHint(this.found);
  }

  brief(one) {
    const status = element("span", STATUS[one.status]);
    status.className = "status";
    status.dataset.status = one.status;
    const title = element("p", `${one.name}(${one.kana}) `, status);
    if (one.same_household) title.append(" ", mark("同じ世帯の別の人"));
    const button = element("button", "本人確認ができました");
    button.type = "button";
    button.addEventListener("click", () => this.identify(one));
    return element(
      "li", "", title,
      element("p", `生年月日 ${one.birth_date} 整理番号 ${one.reference}(${one.campaign})`),
      ...one.earlier.map((call) => element("p", `${moment(call.at)} ${callWords(call, this.names)}`)),
      button);
  }

  async identify(one) {
    this.again = false;
    await this.act("identify", { callback_id: this.callback.callback_id, case_id: one.case_id });
  }

  async search(event) {
    event.preventDefault();
    const { by, words } = event.target.elements;
    if (!words.value.trim()) return;
    const callback = this.callback.callback_id;
    try {
      const found = await ask("POST", "/api/callback/search",
        { callback_id: callback, [by.value]: words.value });
      if (this.callback?.callback_id !== callback) return; // another caller meanwhile
      this.found = found;
      this.fault(null);
      this.draw();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.fault(error);
    }
  }

  async close(event) {
    event.preventDefault();
    const { kind, note } = event.target.elements;
    await this.act("close",
      { callback_id: this.callback.callback_id, kind: kind.value, note: note.value });
  }
}

function facts(callback) {
  const rows = [
    ["相手の番号", callback.number ?? "非通知", "big"],
    ["かけた先", callback.called],
    ["着信", clock(callback.arrived_at)],
    ["回線", callback.on_line ? "通話中" : "終了"],
  ];
  return rows.flatMap(([label, text, kind]) => {
    const value = element("dd", text);
    if (kind) value.className = kind;
    return [element("dt", label), value];
  });
}

function hint(callback) {
  if (!callback.candidates) return "番号から案件を探しています。";
  if (callback.candidates.length) return "この番号の案件です。氏名と生年月日などで本人確認をしてください。";
  return callback.number === null
    ? "番号が通知されていません。お名前などを聞いて、検索してください。"
    : "不明な番号です。お名前などを聞いて、検索してください。";
}

function foundHint(found) {
  if (!found) return "";
  if (!found.cases.length) return "見つかりません。";
  return found.more ? "ほかにもあります。条件を詳しくしてください。" : "";
}

function mark(text) {
  const made = element("b", text);
  made.className = "mark";
  return made;
}
