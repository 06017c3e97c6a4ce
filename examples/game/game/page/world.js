// The world as in ../world.go and ../snapshot.go: the same arithmetic, so that a page
// can go ahead of the server and be right.
export const RATE = 60, WIDTH = 1600, HEIGHT = 900, RADIUS = 22;
const SPEED = 320, SCALE = 32;
export const UP = 1, DOWN = 2, LEFT = 4, RIGHT = 8;

const clamp = (v, limit) => Math.max(RADIUS, Math.min(v, limit - RADIUS));

export function move({ x, y }, keys) {
  const dx = (keys & RIGHT ? 1 : 0) - (keys & LEFT ? 1 : 0);
  const dy = (keys & DOWN ? 1 : 0) - (keys & UP ? 1 : 0);
  const step = SPEED / RATE / (dx && dy ? Math.SQRT2 : 1);
  return { x: clamp(x + dx * step, WIDTH), y: clamp(y + dy * step, HEIGHT) };
}

const PLACE = 1, SCORE = 2, INPUT = 4, AGE = 8, AWAY = 16;

// parse decodes a snapshot. keys are the whole ones that came so far, by tick; the
// answer is undefined if the one it needs is not there.
export function parse(buffer, keys) {
  const v = buffer instanceof ArrayBuffer ? new DataView(buffer) : new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  let at = 0;
  const u8 = () => v.getUint8(at++);
  const u16 = () => v.getUint16((at += 2) - 2);
  const u32 = () => v.getUint32((at += 4) - 4);
  const tick = u32(), baseTick = u32();
  const base = baseTick === tick ? { players: [], eggs: [] } : keys.get(baseTick);
  if (!base) return;
  const frame = { tick, whole: baseTick === tick, players: base.players.map((p) => ({ ...p })), eggs: base.eggs.slice() };
  frame.players.length = u8();
  for (let n = u8(); n > 0; n--) {
    const i = u8(), mask = u8();
    const p = (frame.players[i] ??= { x: 0, y: 0, score: 0, input: 0, age: 0 });
    if (mask & PLACE) (p.x = u16() / SCALE), (p.y = u16() / SCALE);
    if (mask & SCORE) p.score = u16();
    if (mask & INPUT) p.input = u16();
    if (mask & AGE) p.age = u8();
    p.away = !!(mask & AWAY);
  }
  frame.eggs.length = u8();
  for (let n = u8(); n > 0; n--) frame.eggs[u8()] = { x: u16() / SCALE, y: u16() / SCALE };
  return frame;
}
