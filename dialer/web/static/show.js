// Puts the present moment on the screen. Everything from the city's file goes in as text, never as
// HTML: only textContent and created elements are used here.

export const $ = (selector) => document.querySelector(selector);

const STATES = {
  away: "退席中(ソフトフォン未接続)",
  free: "待機中",
  ringing_for: "接続中",
  talking: "通話中",
  after_call_work: "後処理中",
  paused: "休憩中",
};
const KINDS = { fixed: "固定", mobile: "携帯", ip: "IP" };
const ACTIONS = {
  ready: (me) => ["paused", "free", "away"].includes(me.state),
  pause: (me) => me.state !== "paused",
  hangup: (me) => Boolean((me.call ?? me.callback)?.on_line),
  dial: (me) => Boolean(me.preview) && !me.preview.placed_at,
  skip: (me) => Boolean(me.preview) && !me.preview.placed_at,
  message: (me) => Boolean(me.call?.on_line) && me.state === "talking",
};
const MOMENT = new Intl.DateTimeFormat("ja-JP", {
  timeZone: "Asia/Tokyo", month: "numeric", day: "numeric", weekday: "short",
  hour: "2-digit", minute: "2-digit",
});

const CLOCK = new Intl.DateTimeFormat("ja-JP", {
  timeZone: "Asia/Tokyo", hour: "2-digit", minute: "2-digit",
});

export const clock = (iso) => CLOCK.format(new Date(iso));
export const moment = (iso) => (iso ? MOMENT.format(new Date(iso)) : "");

export function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

export function showMe(me, names) {
  $("#operator").textContent = `${me.operator.name} (${me.operator.id})`;
  $("#state").textContent = STATES[me.state];
  $("#state").dataset.state = me.state;
  for (const button of document.querySelectorAll("[data-action]")) {
    button.disabled = !ACTIONS[button.dataset.action](me);
  }
  showWarning(me);
  showReminder(me);
  showAhead(me.preview);
  showBreak(me);
  showCase(me.call ?? me.preview ?? me.callback?.case, names);
}

const WARNINGS = {
  stopped: "この案件に架電停止の指示がありました。今後は架電しません。",
  paid: "この案件は納付が確認されました。",
};
const CALLER_WARNINGS = {
  ...WARNINGS,
  complete: "この案件は対応が完了しています。",
  escalated: "この案件は市の判断を待っています。",
};

function showWarning({ call, callback }) {
  const words = call ? WARNINGS[call.case_status] : CALLER_WARNINGS[callback?.case?.case_status];
  $("#warning").textContent = words ?? "";
  $("#warning").hidden = !words;
}

// Somebody named this time: an operator is kept free for the call, or has it in a moment.
function showReminder(me) {
  const at = me.next_appointment;
  const due = at && new Date(at) <= new Date(me.now);
  $("#reminder").textContent = at ? `指定時間 ${clock(at)} ${due ? "になりました" : "まもなく"}` : "";
  $("#reminder").hidden = !at;
}

// The case is shown before anybody is on the line: offered, or ringing already.
function showAhead(preview) {
  const words = preview?.placed_at
    ? "呼び出し中です。応答した方とそのままつながります。"
    : "次の案件です。内容を確かめて「発信」を押してください。";
  $("#ahead").textContent = preview ? words : "";
  $("#ahead").hidden = !preview;
  $("#offer").hidden = !preview || Boolean(preview.placed_at);
}

function showBreak(me) {
  const takesCalls = ["free", "ringing_for", "talking", "after_call_work"].includes(me.state);
  $("#break").hidden = Boolean(me.break_at);
  $("#break-announce").disabled = !takesCalls;
  $("#break-off").hidden = !me.break_at;
  $("#break-off").textContent = me.break_at ? `${clock(me.break_at)} からの休憩を取り消す` : "";
}

function showCase(call, names) {
  $("#no-case").hidden = Boolean(call);
  $("#facts").replaceChildren(...(call ? facts(call) : []));
  const past = call ? history(call, names) : [];
  $("#history").replaceChildren(...past);
  $("#case h2").hidden = past.length === 0;
}

function facts(call) {
  const rows = [
    ["氏名", call.name, "big"],
    ["カナ", call.kana],
    ["電話番号", numbers(call), "big"],
    ["滞納合計額", `${call.amount_yen.toLocaleString("ja-JP")}円`, "big"],
    ["期別明細", call.instalments],
    ["生年月日", call.birth_date],
    ["住所", call.address],
    ["区分", call.category],
    ["備考", call.note],
    ["整理番号", call.reference],
    ["実施月", call.campaign],
    ["架電時刻", call.placed_at ? moment(call.placed_at) : ""],
    ["携帯番号", call.ask_for_mobile ? "携帯番号の登録がありません。聞いてください。" : ""],
    ["回線", line(call)],
  ];
  return rows.filter(([, text]) => text).flatMap(([label, text, kind]) => {
    const value = element("dd", text);
    if (kind) value.className = kind;
    return [element("dt", label), value];
  });
}

function numbers(call) {
  const phones = call.phones ?? [{ number: call.phone, kind: call.phone_kind }];
  return phones.map((one) => `${one.number} (${KINDS[one.kind]})`).join("、");
}

function line(call) {
  if (call.phones) return ""; // of a caller: shown with them
  if (!("on_line" in call)) return call.placed_at ? "呼び出し中" : "未発信";
  return call.on_line ? "通話中" : "終了";
}

export function callWords(one, names) {
  return `${one.phone_kind ? KINDS[one.phone_kind] : "折り返し"} ${names[one.outcome] ?? one.outcome}`;
}

function history(call, names) {
  const own = call.history.map((one) => ({ at: one.at, text: callWords(one, names) }));
  const household = call.household.map((one) => ({
    at: one.at,
    text: `同一世帯の別案件 ${names[one.outcome] ?? one.outcome}`,
  }));
  return [...own, ...household]
    .sort((a, b) => new Date(a.at) - new Date(b.at))
    .map((one) => element("li", `${moment(one.at)} ${one.text}`));
}

export function showTimer(me, sinceReceivedMs) {
  const now = new Date(me.now).getTime() + sinceReceivedMs;
  const span = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000));
    return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
  };
  const text = span(now - new Date(me.since));
  const left = me.deadline ? ` (残り ${span(new Date(me.deadline) - now)})` : "";
  $("#timer").textContent = text + left;
}

export function showFault(message) {
  $("#fault").textContent = message ?? "";
  $("#fault").hidden = !message;
}
