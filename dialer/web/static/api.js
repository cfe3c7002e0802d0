// Asks the service in the operator's name. Every failure becomes a Fault with a Japanese message.

const TOKEN = "yobirin-token";

export class Fault extends Error {
  constructor(status, message, field) {
    super(message);
    this.status = status;
    this.field = field;
  }
}

export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  set: (value) => sessionStorage.setItem(TOKEN, value),
  drop: () => sessionStorage.removeItem(TOKEN),
};

export async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: {
        Authorization: `Bearer ${token.get()}`,
        ...(body && { "Content-Type": "application/json" }),
      },
      body: body && JSON.stringify(body),
      cache: "no-store",
    });
  } catch {
    throw new Fault(0, "サーバにつながりません。つながるまで待っています。");
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Fault(answer.status, said.message ?? "サーバの誤りです。", said.field);
  }
  return said;
}
