// Operational transformation of plain text, the client's side: the twin of
// ../../ot/client.go, where the why of it is told and tested. An operation is
// {type: "insert", position, text} or {type: "delete", position, length}.

const size = (o) => (o.type === "insert" ? o.text.length : o.length);

// after returns what o is once b has been done.
function after(o, b, left) {
  const n = size(b), end = b.position + n;
  if (o.type === "insert" && b.type === "insert") {
    return [b.position < o.position || (b.position === o.position && !left) ? { ...o, position: o.position + n } : o];
  }
  if (o.type === "insert") {
    if (o.position >= end) return [{ ...o, position: o.position - n }];
    return [o.position > b.position ? { ...o, position: b.position } : o];
  }
  if (b.type === "insert") {
    if (b.position <= o.position) return [{ ...o, position: o.position + n }];
    if (b.position >= o.position + o.length) return [o];
    const before = b.position - o.position;
    return [{ ...o, length: before }, { ...o, position: o.position + n, length: o.length - before }];
  }
  const common = Math.max(0, Math.min(o.position + o.length, end) - Math.max(o.position, b.position));
  if (common === o.length) return [];
  return [{ ...o, length: o.length - common, position: o.position - Math.max(0, Math.min(o.position, end) - b.position) }];
}

// transform returns what a is after b, and b after a; b was first.
export function transform(a, b) {
  if (!a.length || !b.length) return [a, b];
  if (a.length === 1 && b.length === 1) return [after(a[0], b[0], false), after(b[0], a[0], true)];
  if (a.length > 1) {
    const [head, b1] = transform(a.slice(0, 1), b);
    const [tail, b2] = transform(a.slice(1), b1);
    return [[...head, ...tail], b2];
  }
  const [a1, head] = transform(a, b.slice(0, 1));
  const [a2, tail] = transform(a1, b.slice(1));
  return [a2, [...head, ...tail]];
}

export const movePosition = (p, op) => after({ type: "insert", position: p, text: "x" }, op, true)[0].position;

export function apply(text, o) {
  const end = o.type === "delete" ? o.position + o.length : o.position;
  if (end > text.length) throw new Error("operation is outside of the text");
  return text.slice(0, o.position) + (o.text ?? "") + text.slice(end);
}

const isPair = (text, p) => p > 0 && p < text.length && /[\ud800-\udbff]/.test(text[p - 1]) && /[\udc00-\udfff]/.test(text[p]);

// diff finds the one change between two texts, as an editor makes it; caret is where
// it left the cursor. No character of two units is split.
export function diff(before, now, caret) {
  let end = now.length - caret;
  const most = Math.min(before.length, now.length);
  end = Math.max(0, Math.min(end, most));
  if (before.slice(before.length - end) !== now.slice(now.length - end)) {
    end = 0;
    while (end < most && before[before.length - 1 - end] === now[now.length - 1 - end]) end++;
  }
  let start = 0;
  while (start < most - end && before[start] === now[start]) start++;
  if (isPair(before, start) || isPair(now, start)) start--;
  if (isPair(before, before.length - end) || isPair(now, now.length - end)) end--;
  const ops = [];
  if (before.length - end > start) ops.push({ type: "delete", position: start, length: before.length - end - start });
  if (now.length - end > start) ops.push({ type: "insert", position: start, text: now.slice(start, now.length - end) });
  return ops;
}

const maxUndo = 200;

export class Client {
  #pending = []; // {seq, ops}, in the form they have for what was seen
  #undo = []; // what takes back each own edit, the last one last
  #seq = 0;

  // A client that begins again, with the text of now, goes on with its numbers.
  constructor(name, content, version, before) {
    Object.assign(this, { name, text: content, version });
    this.#seq = before?.#seq ?? 0;
  }

  get pending() {
    return this.#pending.length;
  }
  get canUndo() {
    return this.#undo.length > 0;
  }

  // edit changes the text, as one step to undo, and returns what to send.
  edit(ops) {
    const inverse = [];
    const sent = ops.map((op) => {
      inverse.unshift(
        op.type === "insert"
          ? { type: "delete", position: op.position, length: op.text.length }
          : { type: "insert", position: op.position, text: this.text.slice(op.position, op.position + op.length) },
      );
      return this.#do(op);
    });
    this.#undo.push(inverse);
    if (this.#undo.length > maxUndo) this.#undo.shift();
    return sent;
  }

  #do(op) {
    this.text = apply(this.text, op);
    this.#pending.push({ seq: ++this.#seq, ops: [op] });
    return { operation: op, clientVersion: this.version, seq: this.#seq };
  }

  // undo takes the last own edit back, whatever others did since.
  undo() {
    let ops;
    do ops = this.#undo.pop();
    while (ops && !ops.length);
    return (ops ?? []).map((op) => this.#do(op));
  }

  // receive takes what was done, in order, and returns the change of the text.
  receive(done) {
    this.version = done.version;
    if (done.client === this.name) {
      this.answered(done.seq, done.version);
      return [];
    }
    let theirs = [done.operation];
    for (const p of this.#pending) [p.ops, theirs] = transform(p.ops, theirs);
    for (const op of theirs) this.text = apply(this.text, op);
    const changes = theirs;
    for (let i = this.#undo.length - 1; i >= 0; i--) [this.#undo[i], theirs] = transform(this.#undo[i], theirs);
    return changes;
  }

  answered(seq, version) {
    this.version = Math.max(this.version, version);
    this.#pending = this.#pending.filter((p) => p.seq > seq);
  }

  // again returns what has no answer, for a new connection.
  again() {
    const ops = this.#pending.flatMap((p) => p.ops);
    this.#pending = [];
    return ops.map((op) => {
      this.#pending.push({ seq: ++this.#seq, ops: [op] });
      return { operation: op, clientVersion: this.version, seq: this.#seq };
    });
  }
}
